"""The HTTP side: who may connect, how long they may take, and the routes beside OpenAI's."""
