"""`python -m inferagent.lab.connector …`"""

import sys

from inferagent.lab.connector.main import main

sys.exit(main(sys.argv[1:]))
