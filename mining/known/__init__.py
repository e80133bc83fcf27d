"""Questions whose answer people have given already, hidden among real ones: how else would one know who errs? Pure."""

from mining.known.candidates import Asked
from mining.known.mixing import LEAST_SHARE, MOST_SHARE, mix_in, told

__all__ = ["LEAST_SHARE", "MOST_SHARE", "Asked", "mix_in", "told"]
