"""Runs dbt for Headgate: begins when told to, and never outlives the process that started it (platform/dependent-process.ts)."""

import gc
import os
import sys
import threading

if os.read(0, 3) != b"go\n":
    sys.exit(75)


def end_with_parent():
    # Returns when the other end of the pipe is gone, at the latest with its process. A kill -9 of Headgate ends here too.
    os.read(0, 1)
    os._exit(75)


threading.Thread(target=end_with_parent, daemon=True).start()

# dbt makes a few hundred thousand objects that live as long as it does; looking through them again and again took an eighth of a run.
gc.disable()

import dbt.compilation  # noqa: E402
from dbt.cli.main import cli  # noqa: E402

# The package's own folder stays as it was installed.
sys.dont_write_bytecode = True
from prepend_ctes import prepend_ctes  # noqa: E402

dbt.compilation.inject_ctes_into_sql = prepend_ctes
sys.exit(cli())
