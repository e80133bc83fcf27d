"""The verbs of mining: runs, leases on questions, answers to them."""
