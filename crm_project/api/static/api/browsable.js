"use strict";

// The API refuses empty parameters: an empty input of the filter form is not sent.
const filters = document.getElementById("filter-form");
const inputs = filters ? [...filters.elements].filter((input) => input.name) : [];
filters?.addEventListener("submit", () => inputs.forEach((input) => (input.disabled = !input.value)));
window.addEventListener("pageshow", () => inputs.forEach((input) => (input.disabled = false)));

// A write is sent as JSON, and its answer is shown below the form.
for (const form of document.querySelectorAll("form.write")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

async function send(form) {
  const button = form.querySelector("button");
  const body = form.elements.body?.value;
  const query = form.elements.dry_run.checked ? "?dry_run=true" : "";
  button.disabled = true;
  try {
    const answer = await fetch(form.getAttribute("action") + query, {
      method: form.dataset.method,
      headers: {
        Accept: "application/json",
        "X-CSRFToken": form.dataset.csrf,
        ...(body ? { "Content-Type": "application/json" } : {}),
      },
      body: body || undefined,
    });
    show(form, answer, await answer.text());
  } catch (error) {
    show(form, { status: "", statusText: "The server does not answer.", ok: false, headers: new Headers() }, "");
  } finally {
    button.disabled = false;
  }
}

function show(form, answer, text) {
  const result = form.querySelector(".result");
  const [status, link] = [result.querySelector(".status"), result.querySelector("a")];
  const data = parsed(text);
  const place = answer.headers.get("Location") || (answer.ok && answer.status !== 204 && data ? form.getAttribute("action") : "");
  result.hidden = false;
  status.textContent = `${answer.status} ${answer.statusText}`;
  status.classList.toggle("bad", !answer.ok);
  link.hidden = !place;
  link.href = place;
  link.textContent = "Open";
  result.querySelector("pre").textContent = data ? JSON.stringify(data, null, 4) : text;
  result.querySelector(".refusals").replaceChildren(...(answer.ok ? [] : (data?.errors ?? []).map((one) => refusal(form, one))));
  if (!answer.ok && data?.errors?.length) {
    select(form, data.errors[0].pointer);
  }
}

// One refusal; a click selects its field in the body.
function refusal(form, error) {
  const item = document.createElement("li");
  const field = document.createElement("button");
  field.type = "button";
  field.textContent = error.pointer.slice(1) || "body";
  field.addEventListener("click", () => select(form, error.pointer));
  item.dataset.pointer = error.pointer;
  item.append(field, ` ${error.detail}`);
  return item;
}

function select(form, pointer) {
  const area = form.elements.body;
  const key = JSON.stringify(pointer.split("/")[1] ?? "");
  const start = area ? area.value.indexOf(`${key}:`) : -1;
  if (start >= 0) {
    const end = area.value.indexOf("\n", start);
    area.focus();
    area.setSelectionRange(start, end < 0 ? area.value.length : end);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
