"""Posts comments with solutions of PyPI's altcha, then without the work. `run` says how to start it."""

import base64
import hashlib
import hmac
import json
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import altcha

ARTICLE = sys.argv[1]
ROUNDS = 20


def challenge(article=ARTICLE):
    with urllib.request.urlopen(f"{article}/challenge") as answer:
        return json.load(answer)


def solve(given):
    asked = altcha.ChallengeV1(
        given["algorithm"], given["challenge"], given["maxnumber"], given["salt"], given["signature"]
    )
    found = altcha.solve_challenge_v1(asked)
    return altcha.PayloadV1(
        given["algorithm"], given["challenge"], found.number, given["salt"], given["signature"]
    ).to_base64()


def post(solution, what):
    """Whether the comment was taken."""
    form = {"name": "PyPI", "email": "pypi@example.org", "comment": f"{what} {time.time_ns()}"}
    if solution is not None:
        form["altcha"] = solution
    body = json.dumps(form).encode()
    request = urllib.request.Request(f"{ARTICLE}/comments", body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status in (201, 202)
    except urllib.error.HTTPError as error:
        assert error.code == 422, f"{what}: {error.code} {error.read()}"
        return False


def changed(solution, **fields):
    return base64.b64encode(json.dumps(json.loads(base64.b64decode(solution)) | fields).encode()).decode()


def made_up(salt, number, key):
    digest = hashlib.sha256(f"{salt}{number}".encode()).hexdigest()
    signature = hmac.new(key, digest.encode(), "sha256").hexdigest()
    fields = {"algorithm": "SHA-256", "challenge": digest, "number": number, "salt": salt, "signature": signature}
    return base64.b64encode(json.dumps(fields).encode()).decode()


def unworked():
    """Every solution that is none, made anew: what each is, and what is sent."""
    good = solve(challenge())
    fields = json.loads(base64.b64decode(good))
    salt, number = fields["salt"], fields["number"]
    later = int(time.time()) + 3600
    yield "nothing", None
    yield "a number too many", changed(good, number=number + 1)
    yield "number 0", changed(good, number=0, maxnumber=0)
    digits = str(number)
    yield "spliced", changed(good, salt=salt + digits[:1], number=int(digits[1:] or 0))
    yield "a later expiry spliced in", changed(good, salt=f"{salt}expires={later}&")
    yield "a later expiry", changed(good, salt=f"{salt.split('=')[0]}={later}&")
    yield "no expiry", changed(good, salt=salt.split("?")[0])
    yield "no salt", changed(good, salt="")
    yield "another hash", changed(good, algorithm="SHA-1")
    yield "no signature", changed(good, signature="")
    yield "a signature of another", changed(good, signature=challenge()["signature"])
    for key in (b"", b"secret", b"altcha"):
        yield "made up", made_up(f"00?expires={later}&", 0, key)
        own = altcha.create_challenge_v1(altcha.ChallengeOptionsV1(hmac_key=key.decode() or "x", max_number=1, number=0))
        yield "made up by the library", solve(own.to_dict() | {"maxnumber": 1})


def main():
    solutions = [solve(challenge()) for _ in range(ROUNDS)]
    taken = sum(post(solution, "solved") for solution in solutions)
    replayed = sum(post(solution, "replayed") for solution in solutions)
    with ThreadPoolExecutor(50) as pool:
        once = solve(challenge())
        at_once = sum(pool.map(lambda number: post(once, f"at once {number}"), range(50)))
    tries = [entry for _ in range(ROUNDS) for entry in unworked()]
    unworked_taken = [what for what, solution in tries if post(solution, what)]
    print(f"PyPI's altcha: {taken} of {ROUNDS} solutions taken, {replayed} of {ROUNDS} a second time")
    print(f"of 50 at once with one solution {at_once} was taken; without the work {len(unworked_taken)} of {len(tries)}")
    sys.exit(0 if (taken, replayed, at_once, unworked_taken) == (ROUNDS, 0, 1, []) else 1)


main()
