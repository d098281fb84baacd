"""The machine's own clocks, chance and threads, kept from before anything was replaced.

For the harness itself, which must be able to measure real time inside a process whose time is
virtual. A thread of the harness' own is started with :func:`start_thread`: it is never made to
take turns with the program.
"""

from __future__ import annotations

import _thread
import datetime as _datetime
import os as _os
import random as _random
import threading as _threading
import time as _time

time = _time.time
time_ns = _time.time_ns
monotonic = _time.monotonic
monotonic_ns = _time.monotonic_ns
perf_counter = _time.perf_counter
perf_counter_ns = _time.perf_counter_ns
process_time = _time.process_time
process_time_ns = _time.process_time_ns
thread_time = _time.thread_time
thread_time_ns = _time.thread_time_ns
clock_gettime = _time.clock_gettime
clock_gettime_ns = _time.clock_gettime_ns
sleep = _time.sleep
localtime = _time.localtime
gmtime = _time.gmtime
strftime = _time.strftime
ctime = _time.ctime
asctime = _time.asctime

datetime = _datetime.datetime
urandom = _os.urandom
Random = _random.Random
SystemRandom = _random.SystemRandom

Lock = _thread.allocate_lock
get_ident = _thread.get_ident
thread_start = _threading.Thread.start
thread_join = _threading.Thread.join
start_thread = _thread.start_new_thread
