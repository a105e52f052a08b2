"""Stands in for accelerate's launcher: a child process for the script, and a traceback of its own if that fails."""

import subprocess
import sys

arguments = sys.argv[1:]
script = next(index for index, word in enumerate(arguments) if word.endswith(".py"))
sys.exit(subprocess.run([sys.executable, *arguments[script:]], check=True).returncode)
