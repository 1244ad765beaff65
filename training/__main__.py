"""`python -m training STAGE`: the recipe of the embedded voice, stage by stage."""

from training.cli import main

if __name__ == "__main__":
    main()
