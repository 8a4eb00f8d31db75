"""What holds for every test: property tests are bounded by their examples, not by a busy machine, and Ctrl-C
reaches the programs that tests start."""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

# A shell lets what it runs in the background ignore Ctrl-C, and what that starts inherits it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
