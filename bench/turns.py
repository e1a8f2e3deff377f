# SPDX-License-Identifier: MIT
"""Engines taking turns: each in its own process, one at work at a time, in rounds."""
import base64
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy

import environment

WORKER = Path(__file__).with_name("worker.py")
# Between turns: threads of the last engine stop spinning.
REST_SECONDS = 0.03


class Process:
    """A worker and its pipe."""

    def __init__(self, module, threads, log):
        self.process = subprocess.Popen(
            [sys.executable, WORKER, module], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=log, text=True, env=environment.variables(threads))
        self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"ended with status {self.process.wait()}")
        return json.loads(line)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Workers:
    """One process a name, started when it is first needed; all for one number of threads."""

    def __init__(self, log_path):
        self.log = open(log_path, "w")
        self.processes = {}
        self.broken = {}
        self.threads = 0

    def get(self, name, module, threads):
        if name in self.broken:
            raise RuntimeError(self.broken[name])
        if threads != self.threads:
            self.drop_all()
            self.threads = threads
        if name not in self.processes:
            try:
                self.processes[name] = Process(module, threads, self.log)
            except RuntimeError as error:
                self.broken[name] = f"did not start: {error}"
                raise
        return self.processes[name]

    def drop(self, name):
        process = self.processes.pop(name, None)
        if process:
            process.close()

    def forget(self):
        for process in self.processes.values():
            process.ask(do="forget")

    def drop_all(self):
        for name in list(self.processes):
            self.drop(name)

    def close(self):
        self.drop_all()
        self.log.close()


def cosine(result, reference):
    """The smallest over the rows."""
    a, b = (x.reshape(len(x), -1).astype("float64") for x in (result, reference))
    return float(((a * b).sum(1) / numpy.linalg.norm(a, axis=1) / numpy.linalg.norm(b, axis=1))
                 .min())


def compare(work, result, reference):
    """What the results say of one engine's output beside the reference's."""
    if reference is None:
        return {}
    if work == "tokenize":
        same = (result == reference).all(axis=1)
        return {"equal_texts": int(same.sum()), "of": len(same)}
    return {"cosine": cosine(result, reference),
            "same_bits": bool(numpy.array_equal(result, reference))}


def disagreement(precision, agreement):
    """Why an engine with this result is not timed, or None. float32 means the same everywhere; what
    is below it differs, but must still be the same model."""
    if precision in ("bf16", "int8") and agreement.get("same_bits"):
        return "computes in float32: the same bits"
    bound = 0.9 if precision in ("bf16", "int8") else 0.999
    value = agreement.get("cosine", 1.0)
    return None if value >= bound else f"computes something else: cosine {value:.4f}"


def prepare(workers, workload, common):
    """{engine: (process, agreement with the first)} and [(engine, why it takes no part)]."""
    ready, absent, reference = {}, [], None
    for name, (module, precision, positions) in workload.engines.items():
        job = {key: value for key, value in vars(workload).items() if key != "engines"}
        job.update(common, precision=precision, positions=positions)
        try:
            process = workers.get(name, module, workload.threads)
            answer = process.ask(do="prepare", job=job)
        except (RuntimeError, BrokenPipeError) as error:
            workers.drop(name)
            answer = {"failed": str(error)}
        agreement = {}
        if "bytes" in answer:
            result = numpy.frombuffer(base64.b64decode(answer["bytes"]), dtype=answer["dtype"])
            result = result.reshape(answer["shape"])
            agreement = compare(workload.work, result, reference)
            reference = result if reference is None else reference
            answer.setdefault("failed", disagreement(precision, agreement))
        reason = answer.get("skipped") or answer.get("failed")
        if reason:
            absent.append({"engine": name, "reason": reason, "failed": "skipped" not in answer})
        else:
            ready[name] = process, agreement
    return ready, absent


def rounds_of(workers, workload, ready, absent):
    """{engine: [milliseconds of the runs of each turn]}; every round begins with another engine."""
    times = {name: [] for name in ready}
    for number in range(workload.rounds):
        names = list(times)
        first = number % max(1, len(names))
        for name in names[first:] + names[:first]:
            time.sleep(REST_SECONDS)
            try:
                answer = ready[name][0].ask(do="time", seconds=workload.seconds,
                                            most=workload.most)
                times[name].append(answer["ms"])
            except (RuntimeError, BrokenPipeError) as error:
                workers.drop(name)
                del times[name]
                absent.append({"engine": name, "reason": str(error), "failed": True})
    return times


def take(workers, workload, common):
    """Runs one workload; (measurements, engines that took no part)."""
    ready, absent = prepare(workers, workload, common)
    measured = []
    for name, turns in rounds_of(workers, workload, ready, absent).items():
        runs = [ms for turn in turns for ms in turn]
        _, precision, positions = workload.engines[name]
        measured.append({
            "work": workload.work, "model": workload.model, "batch": workload.batch,
            "threads": workload.threads, "picture": workload.picture, "engine": name,
            "precision": precision, "positions": positions,
            # Of turns, so that a disturbed turn with many runs counts once.
            "median_ms": statistics.median(statistics.median(turn) for turn in turns),
            "min_ms": min(runs), "runs": len(runs), "rounds": workload.rounds, **ready[name][1]})
    return measured, absent
