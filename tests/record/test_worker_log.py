from __future__ import annotations

import json

from lkgate.record.worker_log import WorkerLog


def log(*records: dict[str, object] | str) -> WorkerLog:
    made = WorkerLog()
    for record in records:
        made.line(record if isinstance(record, str) else json.dumps(record))
    return made


def test_where_it_listens() -> None:
    assert log({"message": "HTTP server listening on :8081"}).addresses == (
        "http://127.0.0.1:8081",
        "http://[::1]:8081",
    )
    assert log({"message": "HTTP server listening on 10.0.0.7:80"}).addresses == (
        "http://10.0.0.7:80",
    )
    assert log("HTTP server listening on :8081", "{", "").addresses == ()


def test_load() -> None:
    full = {
        "message": "worker is at full capacity, marking as unavailable",
        "load": 1,
        "threshold": 0.7,
    }
    free = {"message": "worker is below capacity, marking as available", "load": 0.1}
    assert (log(full).load, log(full).threshold) == (1.0, 0.7)
    assert (log(full, free).load, log(full, free).threshold) == (None, None)


def test_jobs() -> None:
    made = log(
        {"message": "received job request", "dispatch_id": "AD_1", "job_id": "AJ_1"},
        {
            "message": "unhandled exception while running the job task",
            "job_id": "AJ_1",
            "exc_info": "Traceback\n  File\nValueError: no\n",
        },
        {"message": "process exited with non-zero exit code -9", "job_id": "AJ_1"},
        {"message": "process exited with non-zero exit code -9", "job_id": "AJ_2"},
    )
    assert made.offered == {"AD_1"}
    assert made.errors == {
        "AJ_1": "ValueError: no",
        "AJ_2": "process exited with non-zero exit code -9",
    }
