"""Photos as pixels: what a file is, decoding it safely, its near-duplicate hash, and packs of crops. No Django here."""
