"""Runs a program in a terminal of 100 columns, and writes what it printed there to standard output."""

import fcntl
import os
import pty
import struct
import sys
import termios

pid, terminal = pty.fork()
if pid == 0:
    # The size must be there before the program looks.
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        printed = os.read(terminal, 65536)
    except OSError:  # Linux ends a terminal so.
        break
    if not printed:
        break
    sys.stdout.buffer.write(printed)
sys.stdout.buffer.flush()
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
