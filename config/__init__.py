"""The roof: settings, urls and the server's entry points."""

import os

# Read when numpy is first imported. Our matrices are small: a thread for each processor in every process costs more than it brings.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
