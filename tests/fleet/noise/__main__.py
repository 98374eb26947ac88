"""`python -m tests.fleet.noise [DAYS] [SEED]`: the noise trace, one line a personality; 1 where it fails."""

import sys

from tests.fleet.noise.run import main

sys.exit(main(*map(float, sys.argv[1:2]), *map(int, sys.argv[2:3])))
