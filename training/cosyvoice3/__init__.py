"""The paper's recipe for CosyVoice3."""
