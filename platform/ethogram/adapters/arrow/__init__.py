"""Between Arrow, which engines read and answer in, and numpy, which kernels compute in."""
