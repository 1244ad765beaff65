"""Start the speech node: `ros2 launch tldr_speech speech.launch.py params_file:=my.yaml`."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode


def generate_launch_description() -> LaunchDescription:
    """One lifecycle node with its parameters from a YAML file."""
    defaults = Path(get_package_share_directory("tldr_speech")) / "config" / "speech.yaml"
    return LaunchDescription([
        DeclareLaunchArgument("params_file", default_value=str(defaults), description="parameters of the node"),
        DeclareLaunchArgument("namespace", default_value="", description="namespace of action and topics"),
        LifecycleNode(package="tldr_speech", executable="speak", name="tldr_speech", output="screen",
                      namespace=LaunchConfiguration("namespace"), parameters=[LaunchConfiguration("params_file")]),
    ])
