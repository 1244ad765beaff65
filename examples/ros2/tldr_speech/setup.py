"""ament_python package of the node; the toolkit must be installed in the same Python (README.md)."""

from setuptools import setup

setup(
    name="tldr_speech",
    version="0.2.0",
    packages=["tldr_speech"],
    data_files=[("share/ament_index/resource_index/packages", ["resource/tldr_speech"]),
                ("share/tldr_speech", ["package.xml"]),
                ("share/tldr_speech/launch", ["launch/speech.launch.py"]),
                ("share/tldr_speech/config", ["config/speech.yaml"])],
    install_requires=["setuptools"],
    entry_points={"console_scripts": ["speak = tldr_speech.node:main"]},
)
