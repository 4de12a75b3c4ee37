"""Makes the three sample data sets in `assets/samples/` from hand-written sentences, bit for bit from one seed."""

SEED = 20
SHOP = "Quillmoor"
