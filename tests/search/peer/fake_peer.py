"""A peer for tests: passes that shrink or grow a number, and passes that show each fault a peer can have."""

import json
import os
import signal
import subprocess
import sys
import time

SHRINK = {"sroa": 30, "gvn": 20, "simplifycfg": 10, "early-cse-memssa": 8, "functionattrs": 1}
FAULTS = ("crash", "hang", "rubbish", "number", "service-crash", "refuse")
PASSES = [*SHRINK, "inline", *FAULTS]
FIRST = 200


def figure(names):
    """Each pass shrinks once; inlining grows each time."""
    return FIRST - sum(SHRINK[name] for name in set(names) & set(SHRINK)) + 7 * names.count("inline")


def show(fault):
    """What a fault looks like from outside; a dictionary is the answer."""
    if fault == "crash":
        print("a pass broke an assertion", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "hang":
        time.sleep(600)
    if fault == "rubbish":
        print("Segmentation fault (not JSON)", flush=True)
        return None
    if fault == "number":
        return {"figure": "many"}
    return {"failed": "crash", "reason": "the service died"} if fault == "service-crash" else {"error": "no such thing"}


def answer(environments, asked):
    """The reply to a request."""
    if asked["do"] == "describe":
        passes = [{"name": name, "description": ""} for name in PASSES]
        return {"name": "fake 1", "passes": passes, "stock": ["sroa", "inline"], "rewards": ["IrInstructionCountOz"]}
    if asked["do"] == "load":
        environments["source"] = asked["source"]
        environments["flags"] = asked["flags"]
        environments[0] = []
        return {"first": FIRST, "baseline": figure(["sroa"]), "attributed": figure(["sroa"]) - 2}
    assert environments.get("source"), "nothing is loaded"
    if asked["do"] == "run":
        names = asked["passes"] if asked["anew"] else [*environments[asked["environment"]], *asked["passes"]]
        for name in asked["passes"]:
            if name in FAULTS:
                return show(name)
            if name not in PASSES:
                return {"error": f"{name} is no action"}
        environments[asked["environment"]] = names
        return {"figure": figure(names)}
    if asked["do"] == "fork":
        number = len(environments)
        environments[number] = list(environments[asked["environment"]])
        return {"environment": number}
    if asked["do"] == "emit":
        wrong = ["-Dmain=other"] if "inline" in environments[0] else []  # inlining miscompiles here
        command = ["clang-22", *environments["flags"], *wrong, "-c", environments["source"], "-o", asked["path"]]
        subprocess.run(command, check=True, timeout=300)
        return {}
    if asked["do"] == "observe":
        return {"value": "define i32 @f() {\n  ret i32 0\n}\n" if asked["space"] == "Ir" else {"TotalInsts": 1}}
    return {}


def main():
    environments = {}
    for line in sys.stdin:
        reply = answer(environments, json.loads(line))
        if reply is not None:
            print(json.dumps(reply), flush=True)


main()
