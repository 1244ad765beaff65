"""Speech for voice-agent frameworks, in their own process: one service class per framework."""
