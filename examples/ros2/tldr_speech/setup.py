"""ament_python package of the node; tldr-edge must be installed from its checkout in the same Python."""

from setuptools import setup

setup(
    name="tldr_speech",
    version="0.1.0",
    packages=["tldr_speech"],
    data_files=[("share/ament_index/resource_index/packages", ["resource/tldr_speech"]),
                ("share/tldr_speech", ["package.xml"])],
    install_requires=["setuptools"],
    entry_points={"console_scripts": ["speak = tldr_speech.node:main"]},
)
