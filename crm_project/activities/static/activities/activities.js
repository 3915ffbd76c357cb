/* Sends the forms of the activities without loading the page; without this script they are plain forms. */
"use strict";

function sectionOf(element) {
    return element.closest("[data-activities]");
}

async function send(form, section) {
    const answer = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        headers: { "X-Requested-With": "XMLHttpRequest" },
    });
    // A session that has ended is answered by the page of the sign-in.
    if (!answer.ok || answer.redirected) {
        throw new Error(answer.statusText);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    const fresh = template.content.querySelector("[data-activities]");
    section.replaceWith(fresh);
    fresh.querySelector("[data-focus]")?.focus();
}

document.addEventListener("submit", (event) => {
    const form = event.target;
    const section = sectionOf(form);
    if (!section || event.defaultPrevented) {
        return;
    }
    event.preventDefault();
    if (section.hasAttribute("aria-busy")) {
        return;
    }
    section.setAttribute("aria-busy", "true");
    send(form, section).catch(() => form.submit());
});

// A day or a time that is chosen is meant.
document.addEventListener("input", (event) => {
    const form = sectionOf(event.target)?.contains(event.target) && event.target.form;
    if (form && event.target.name === "next_on" && event.target.value) {
        form.querySelector("[name='next_when'][value='day']").checked = true;
    }
});
