# SPDX-License-Identifier: MIT
"""The process that one engine works in: answers requests, one JSON object a line, on a pipe.

    worker.py MODULE

    {"do": "prepare", "job": {...}}           runs once untimed; the result's bytes, or why not
    {"do": "time", "seconds": S, "most": N}   repeats it; the milliseconds of each run
    {"do": "forget"}                          frees models

Whatever an engine prints goes to stderr.
"""
import base64
import gc
import importlib
import json
import os
import sys
import time

import engines

# Runs shorter than this are preceded by an untimed one: others have used the caches meanwhile.
SHORT_MS = 300.0


def timed(run):
    start = time.perf_counter()
    run()
    return 1e3 * (time.perf_counter() - start)


class Worker:
    def __init__(self, name):
        self.module = importlib.import_module(f"engines.{name}")
        self.run = None
        self.last_ms = 0.0

    def prepare(self, request):
        self.run = None
        try:
            self.run = self.module.prepare(request["job"])
            if not request["job"]["warm"]:
                self.last_ms = SHORT_MS
                return {}
            start = time.perf_counter()
            result = self.run()
            self.last_ms = 1e3 * (time.perf_counter() - start)
        except engines.Skipped as reason:
            return {"skipped": str(reason)}
        except Exception as error:  # whatever a peer raises, the others go on
            self.run = None
            return {"failed": f"{type(error).__name__}: {error}"[:500]}
        if result is None:
            return {}
        return {"shape": list(result.shape), "dtype": str(result.dtype),
                "bytes": base64.b64encode(result.tobytes()).decode()}

    def time(self, request):
        if self.last_ms < SHORT_MS:
            timed(self.run)
        times, end = [], time.perf_counter() + request["seconds"]
        while len(times) < request["most"] and (not times or time.perf_counter() < end):
            times.append(timed(self.run))
        self.last_ms = times[-1]
        return {"ms": times}

    def forget(self, _):
        self.run = None
        self.module.forget()
        gc.collect()
        return {}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker(sys.argv[1])
    answers.write("{}\n")
    answers.flush()
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(getattr(worker, request["do"])(request)) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
