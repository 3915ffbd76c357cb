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
    fresh.querySelector(".crm-act-message")?.scrollIntoView({ block: "nearest" });
    fresh.querySelector("[data-focus]")?.focus();
}

// The form of the next step, in the row of its deal; without this script the link leads to the page of the deal.
async function plan(link) {
    const row = link.closest("li");
    const answer = await fetch(link.dataset.plan, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok || answer.redirected) {
        throw new Error(answer.statusText);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    closePlan(sectionOf(row));
    row.append(template.content);
    link.setAttribute("aria-expanded", "true");
    row.querySelector("[data-focus]").focus();
}

function closePlan(section) {
    section.querySelector("li > .crm-log")?.remove();
    section.querySelector("[data-plan][aria-expanded='true']")?.setAttribute("aria-expanded", "false");
}

document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-plan]");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) {
        return;
    }
    event.preventDefault();
    if (link.getAttribute("aria-expanded") === "true") {
        closePlan(sectionOf(link));
    } else {
        plan(link).catch(() => { window.location.href = link.href; });
    }
});

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

// The timeline: another choice takes its place, older entries are added to it; without this script they are links.
async function fragment(link) {
    const answer = await fetch(link.dataset.fragment, { headers: { "X-Requested-With": "XMLHttpRequest" } });
    if (!answer.ok || answer.redirected) {
        throw new Error(answer.statusText);
    }
    const template = document.createElement("template");
    template.innerHTML = await answer.text();
    return template.content.querySelector("[data-timeline]");
}

function append(timeline, older) {
    const lines = timeline.querySelector("[data-timeline-lines]");
    const [first, ...others] = older.querySelectorAll("[data-heading]");
    const last = lines.querySelector("[data-heading]:last-of-type");
    const added = first.querySelector("li");
    if (last?.dataset.heading === first.dataset.heading) {
        last.querySelector("ul").append(...first.querySelectorAll("ul > li"));
    } else {
        others.unshift(first);
    }
    lines.append(...others);
    const more = older.querySelector("[data-timeline-more]");
    more.querySelector("a:not([data-older])")?.remove();
    timeline.querySelector("[data-timeline-more]").replaceWith(more);
    added.tabIndex = -1;
    added.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-fragment]");
    const timeline = link?.closest("[data-timeline]");
    if (!timeline || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) {
        return;
    }
    event.preventDefault();
    if (timeline.hasAttribute("aria-busy")) {
        return;
    }
    timeline.setAttribute("aria-busy", "true");
    fragment(link).then((fresh) => {
        if ("older" in link.dataset) {
            append(timeline, fresh);
        } else {
            timeline.replaceWith(fresh);
            fresh.querySelector("[aria-current]").focus();
        }
        timeline.removeAttribute("aria-busy");
    }).catch(() => { window.location.href = link.href; });
});
