"""The demo: a folder of photos taken round the loop by one command, and measured where the truth is known."""
