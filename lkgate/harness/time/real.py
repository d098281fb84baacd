"""The machine's own clocks and primitives, kept from before anything was replaced."""

from __future__ import annotations

import datetime as _datetime
import os as _os
import random as _random
import threading as _threading
import time as _time
import uuid as _uuid

time = _time.time
time_ns = _time.time_ns
monotonic = _time.monotonic
monotonic_ns = _time.monotonic_ns
perf_counter = _time.perf_counter
perf_counter_ns = _time.perf_counter_ns
sleep = _time.sleep
localtime = _time.localtime
gmtime = _time.gmtime
strftime = _time.strftime
ctime = _time.ctime
asctime = _time.asctime

datetime = _datetime.datetime
uuid4 = _uuid.uuid4
urandom = _os.urandom
Random = _random.Random

thread_start = _threading.Thread.start
thread_join = _threading.Thread.join
condition_wait = _threading.Condition.wait
condition_notify = _threading.Condition.notify
