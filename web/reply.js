// The reply form, where a challenge is asked for: gets one when somebody begins to write, has it solved in a worker, and
// holds the form back until that is done. Where anything of it fails the form goes off as it would without this script.
"use strict";

const form = document.querySelector("form[data-challenge]");
if (form && window.Worker && window.fetch && form.requestSubmit) {
  const field = form.elements.namedItem("altcha");
  const line = form.querySelector("[role=status]");
  // A challenge is good for ten minutes; one that has less than this left is not sent.
  const FRESH_MS = 8 * 60 * 1000;

  let work = null; // the promise of a solution, or of nothing
  let solvedAt = 0;
  let isWaiting = false;

  const say = (what) => { line.textContent = line.dataset[what]; };
  const isSolved = () => field.value !== "" && performance.now() - solvedAt < FRESH_MS;

  const solve = (challenge) => new Promise((resolve, reject) => {
    const worker = new Worker(form.dataset.solver);
    const end = (settle, value) => { worker.terminate(); settle(value); };
    worker.onmessage = (event) => end(event.data === null ? reject : resolve, event.data);
    worker.onerror = (event) => end(reject, event);
    worker.postMessage(challenge);
  });

  const begin = () => {
    if (work || isSolved()) return;
    field.value = "";
    say("working");
    const since = performance.now();
    work = fetch(form.dataset.challenge, { credentials: "omit", cache: "no-store" })
      .then((response) => (response.ok ? response.json() : Promise.reject(response.status)))
      .then((challenge) => solve(challenge).then((number) => ({ challenge, number })))
      .then(({ challenge: { algorithm, challenge, salt, signature }, number }) => {
        field.value = btoa(JSON.stringify({ algorithm, challenge, number, salt, signature }));
        solvedAt = since;
        say("solved");
      })
      .catch(() => say("failed"))
      .finally(() => { work = null; });
  };

  form.addEventListener("focusin", begin, { once: true });

  form.addEventListener("submit", (event) => {
    if (isSolved()) return;
    event.preventDefault();
    if (isWaiting) return;
    isWaiting = true;
    begin();
    say("waiting");
    work.then(() => {
      isWaiting = false;
      if (isSolved()) form.requestSubmit(event.submitter);
      else HTMLFormElement.prototype.submit.call(form);
    });
  });

  // Who comes back to a form that was sent finds its solution used up.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      field.value = "";
      line.textContent = "";
      form.addEventListener("focusin", begin, { once: true });
    }
  });
  field.value = "";
}
