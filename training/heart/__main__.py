"""`python -m training.heart STAGE`: runs one stage of the next voice's recipe, or all of them."""

from training.heart.cli import main

if __name__ == "__main__":
    main()
