"use strict";
// A chosen or dropped PDF: its SHA-256 is computed here, and the file is sent only if nobody knows that hash.
// Whatever fails (no WebCrypto over plain http, no answer, too many questions) ends in the plain upload.
(() => {
  const form = document.getElementById("file-form");
  const hashForm = document.getElementById("hash-form");
  const input = document.getElementById("file");
  const status = document.getElementById("file-status");
  const drop = form.querySelector(".drop");

  const tell = (key) => { status.textContent = form.dataset[key]; };

  async function digest(file) {
    const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  // Known is also the notice of a refusal: it is no certificate, and the server says so.
  async function known(sha256) {
    const answer = await fetch(form.dataset.hashRoute, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ sha256 }),
      signal: AbortSignal.timeout(10_000),
    });
    if (!answer.ok) throw new Error(String(answer.status));
    const report = await answer.json();
    return report.verdict !== "not_found" || report.reasons.some((reason) => reason.code === "refusal_notice");
  }

  async function check(file) {
    if (file.size > Number(form.dataset.limit)) return tell("tooLarge");
    try {
      tell("hashing");
      const sha256 = await digest(file);
      if (await known(sha256)) {
        tell("known");
        hashForm.elements.sha256.value = sha256;
        return hashForm.submit();
      }
      tell("unknown");
    } catch {
      tell("cannot");
    }
    form.submit();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check(input.files[0]);
  });
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  form.addEventListener("dragleave", () => drop.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    if (event.dataTransfer.files.length === 0) return;
    input.files = event.dataTransfer.files;
    check(input.files[0]);
  });
  for (const id of ["drop-hint", "local-hint"]) document.getElementById(id).hidden = false;
  window.addEventListener("pageshow", () => { status.textContent = ""; });
})();
