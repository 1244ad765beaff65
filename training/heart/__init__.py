"""The recipe of the next embedded voice: the teacher hibari, a codec of features, and the spectral decoder."""
