"""The codec and the networks beside it."""
