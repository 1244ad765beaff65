"""Reading CosyVoice3's public checkpoint directory, as it is downloaded."""
