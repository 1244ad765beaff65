"""`python -m training.cosyvoice3`."""

from runtime.command import run
from training.cosyvoice3.recipe import main

run(main)
