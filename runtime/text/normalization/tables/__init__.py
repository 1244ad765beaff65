"""Word lists of the text normalisation: what a linguist extends without touching the rules."""
