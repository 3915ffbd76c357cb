/* The board of deals: cards are moved by mouse, touch and keyboard, and added in a column. */
"use strict";

(() => {
    const board = document.getElementById("kb");
    const columns = document.getElementById("kb-columns");
    const part = (name) => document.getElementById(`kb-${name}`);
    const isEditable = "edit" in board.dataset;
    // Pixels that a pointer may move before it drags, and milliseconds that a finger rests before it does.
    const SLIP = 6;
    const PRESS = 280;
    const EDGE = 56;
    let carried = null;
    let wasDragged = false;

    const stages = () => [...columns.querySelectorAll(".kb-column")];
    const listOf = (column) => column.querySelector("ol");
    const linkOf = (card) => card.querySelector(":scope > a");
    const nameOf = (card) => linkOf(card).textContent;
    const cardOf = (element) => element.closest?.(".kb-column li:not(.kb-more)");
    // A text of the page, in the language of the reader, with the values in place of the names in braces.
    const textOf = (name, values = {}) =>
        part("texts").dataset[name].replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
    const isFormPart = (element) => element.closest("button, form, input, select") !== null;

    function say(text) {
        part("said").textContent = text;
    }

    function show(html, isDone) {
        const box = document.createElement("div");
        box.className = isDone ? "" : "kb-refused";
        const text = document.createElement("div");
        text.innerHTML = html;
        const close = document.createElement("button");
        close.type = "button";
        close.textContent = "×";
        close.setAttribute("aria-label", textOf("close"));
        close.addEventListener("click", () => box.remove());
        box.append(text, close);
        part("message").replaceChildren(box);
    }

    function plain(text) {
        const holder = document.createElement("span");
        holder.textContent = text;
        return holder.innerHTML;
    }

    /* Within a column only one card is in the order of tabs; arrow keys go to the others. */
    function makeReachable(list) {
        const links = [...list.querySelectorAll(":scope > li:not(.kb-more) > a")];
        const current = links.find((link) => link === document.activeElement) || links[0];
        for (const link of links) {
            link.tabIndex = link === current ? 0 : -1;
            link.draggable = false;
            const mover = link.parentElement.querySelector(":scope > button");
            if (mover) {
                mover.tabIndex = link.tabIndex;
                mover.setAttribute("aria-label", textOf("move", { deal: link.textContent }));
                link.setAttribute("aria-describedby", "kb-help");
            }
        }
    }

    function prepare() {
        stages().forEach((column) => makeReachable(listOf(column)));
    }

    // -- Requests

    async function send(form, url) {
        let answer;
        try {
            answer = await fetch(url, { method: "POST", body: form, headers: { Accept: "application/json" } });
        } catch {
            return { message: textOf("unreachable"), isPlain: true };
        }
        if (!answer.headers.get("Content-Type")?.includes("application/json")) {
            const name = answer.redirected ? "signedOut" : answer.status === 403 ? "forbidden" : "failed";
            return { message: textOf(name), isPlain: true };
        }
        return answer.json();
    }

    function moverForm(card, to, reason) {
        const form = new FormData(part("mover").content.querySelector("form"));
        form.set("deal", card.id.slice(1));
        form.set("version", card.dataset.v);
        form.set("to", to);
        if (reason !== undefined) {
            form.set("lost_reason", reason);
        }
        return form;
    }

    // The attribute: the property of a form in a template does not resolve a relative address.
    const actionOf = (name) => part(name).content.querySelector("form").getAttribute("action");

    /* The card and the figures as the server has them now. `back` puts the card where it was. */
    function apply(reply, card, back) {
        for (const column of reply.heads ? stages() : []) {
            column.querySelector(".kb-figures").innerHTML = reply.heads[column.dataset.to] ?? "";
        }
        if (!reply.is_done && card) {
            back();
        }
        show(reply.isPlain ? plain(reply.message) : reply.message, reply.is_done);
        if (!reply.heads) {
            card?.removeAttribute("aria-busy");
            return card;
        }
        const list = listOf(stages().find((column) => column.dataset.to === String(reply.stage)) ?? document.createElement("p"));
        if (!reply.card || !list) {
            const next = card?.nextElementSibling ?? card?.previousElementSibling;
            card?.remove();
            return next;
        }
        const holder = document.createElement("template");
        holder.innerHTML = reply.card;
        const fresh = holder.content.querySelector("li");
        if (card?.parentElement === list) {
            card.replaceWith(fresh);
        } else {
            card?.remove();
            list.prepend(fresh);
        }
        return fresh;
    }

    async function move(card, to, kind, back) {
        const hadFocus = card.contains(document.activeElement);
        let reason;
        if (kind === "lost") {
            reason = await askForReason(card);
            if (reason === null) {
                back();
                say(textOf("putBack", { deal: nameOf(card) }));
                restoreFocus(card, hadFocus);
                return;
            }
        }
        card.setAttribute("aria-busy", "true");
        const reply = await send(moverForm(card, to, reason), actionOf("mover"));
        const fresh = apply(reply, card, back);
        prepare();
        restoreFocus(fresh, hadFocus || kind === "lost");
    }

    function restoreFocus(card, hadFocus) {
        if (hadFocus && card?.isConnected && linkOf(card)) {
            linkOf(card).focus();
        }
    }

    /* The id of the reason, "" for none, null if the dialog was cancelled. */
    function askForReason(card) {
        const dialog = part("lose");
        dialog.querySelector("p").textContent = nameOf(card);
        dialog.returnValue = "";
        dialog.showModal();
        return new Promise((resolve) => {
            dialog.addEventListener("close", () => {
                const chosen = dialog.returnValue;
                resolve(chosen === "" ? null : chosen === "none" ? "" : chosen);
            }, { once: true });
        });
    }

    /* A function that puts the card back to where it is now. */
    function placeOf(card) {
        const list = card.parentElement;
        const next = card.nextElementSibling;
        return () => {
            list.insertBefore(card, next?.parentElement === list ? next : null);
            card.classList.remove("kb-held", "kb-lifted");
        };
    }

    // -- Mouse and touch

    function begin(drag) {
        const box = drag.card.getBoundingClientRect();
        drag.ghost = drag.card.cloneNode(true);
        drag.ghost.removeAttribute("id");
        drag.ghost.className = "kb-ghost";
        drag.ghost.setAttribute("aria-hidden", "true");
        Object.assign(drag.ghost.style, { width: `${box.width}px`, left: `${box.left}px`, top: `${box.top}px` });
        drag.grip = [drag.x - box.left, drag.y - box.top];
        board.append(drag.ghost);
        drag.card.classList.add("kb-lifted");
        board.classList.add("kb-carrying");
        drag.isOn = true;
        scrollAtEdges(drag);
    }

    function follow(drag) {
        drag.ghost.style.left = `${drag.x - drag.grip[0]}px`;
        drag.ghost.style.top = `${drag.y - drag.grip[1]}px`;
        const over = document.elementFromPoint(drag.x, drag.y)?.closest("#kb [data-to]") ?? null;
        if (over !== drag.over) {
            drag.over?.classList.remove("kb-over");
            over?.classList.add("kb-over");
            drag.over = over;
        }
    }

    function scrollAtEdges(drag) {
        if (!drag.isOn) {
            return;
        }
        const box = columns.getBoundingClientRect();
        if (drag.x > box.right - EDGE) {
            columns.scrollLeft += 10;
        } else if (drag.x < box.left + EDGE) {
            columns.scrollLeft -= 10;
        }
        requestAnimationFrame(() => scrollAtEdges(drag));
    }

    function end(drag, isDropped) {
        clearTimeout(drag.timer);
        carried = null;
        if (!drag.isOn) {
            return;
        }
        drag.isOn = false;
        drag.ghost.remove();
        board.classList.remove("kb-carrying");
        drag.over?.classList.remove("kb-over");
        drag.card.classList.remove("kb-lifted");
        wasDragged = true;
        setTimeout(() => { wasDragged = false; }, 0);
        const target = isDropped ? drag.over : null;
        if (target && target !== drag.card.closest(".kb-column")) {
            drop(drag.card, target, placeOf(drag.card));
        }
    }

    function drop(card, target, back) {
        if (target.matches(".kb-column")) {
            listOf(target).prepend(card);
        }
        move(card, target.dataset.to, target.dataset.kind, back);
    }

    function listenToPointers() {
        board.addEventListener("pointerdown", (event) => {
            const card = cardOf(event.target);
            if (!card || carried || event.button !== 0 || isFormPart(event.target) || card.hasAttribute("aria-busy")) {
                return;
            }
            const drag = { card, id: event.pointerId, x: event.clientX, y: event.clientY, from: [event.clientX, event.clientY] };
            carried = drag;
            if (event.pointerType !== "mouse") {
                drag.timer = setTimeout(() => begin(drag), PRESS);
                drag.isTouch = true;
            }
        });
        window.addEventListener("pointermove", (event) => {
            const drag = carried;
            if (!drag || event.pointerId !== drag.id) {
                return;
            }
            [drag.x, drag.y] = [event.clientX, event.clientY];
            const slipped = Math.hypot(drag.x - drag.from[0], drag.y - drag.from[1]) > SLIP;
            if (!drag.isOn && slipped && drag.isTouch) {
                end(drag, false); // the finger scrolls
                return;
            }
            if (!drag.isOn && slipped) {
                begin(drag);
            }
            if (drag.isOn) {
                event.preventDefault();
                follow(drag);
            }
        });
        window.addEventListener("pointerup", (event) => {
            if (carried && event.pointerId === carried.id) {
                end(carried, true);
            }
        });
        window.addEventListener("pointercancel", () => carried && end(carried, false));
        // A card that is carried does not scroll the page, nor open the menu of its link.
        board.addEventListener("touchmove", (event) => carried?.isOn && event.preventDefault(), { passive: false });
        board.addEventListener("contextmenu", (event) => carried?.isTouch && event.preventDefault());
        board.addEventListener("dragstart", (event) => cardOf(event.target) && event.preventDefault());
        board.addEventListener("click", (event) => {
            if (wasDragged) {
                event.preventDefault();
                event.stopPropagation();
            }
        }, true);
    }

    // -- Keyboard

    let held = null;

    const targets = () => [...stages(), ...part("zones").children];
    const targetName = (target) => target.querySelector("h2, span").textContent;

    function pickUp(card) {
        const all = targets();
        const at = all.indexOf(card.closest(".kb-column"));
        held = { card, all, at, start: at, back: placeOf(card) };
        card.classList.add("kb-held");
        board.classList.add("kb-carrying");
        say(textOf("pickedUp", { deal: nameOf(card), stage: targetName(all[at]) }));
    }

    function carry(step) {
        const at = held.at + step;
        if (at < 0 || at >= held.all.length) {
            return;
        }
        held.all[held.at].classList.remove("kb-over");
        held.at = at;
        const target = held.all[at];
        target.classList.add("kb-over");
        held.isMoving = true;
        if (at === held.start) {
            held.back();
            held.card.classList.add("kb-held");
        } else if (target.matches(".kb-column")) {
            listOf(target).prepend(held.card);
            target.scrollIntoView({ block: "nearest", inline: "nearest" });
        }
        linkOf(held.card).focus();
        held.isMoving = false;
        say(textOf("carried", { stage: targetName(target), number: at + 1, count: held.all.length }));
    }

    function letGo(isDropped) {
        const { card, all, at, start, back } = held;
        all[at].classList.remove("kb-over");
        card.classList.remove("kb-held");
        board.classList.remove("kb-carrying");
        if (isDropped && at !== start) {
            held = null;
            move(card, all[at].dataset.to, all[at].dataset.kind, back);
            return;
        }
        held.isMoving = true;
        back();
        linkOf(card).focus();
        held = null;
        say(textOf("putBack", { deal: nameOf(card) }));
    }

    function step(card, name) {
        let next = card;
        do {
            next = next[name];
        } while (next?.matches(".kb-more"));
        if (next) {
            linkOf(next).focus();
        }
    }

    function listenToKeys() {
        board.addEventListener("keydown", (event) => {
            const card = cardOf(event.target);
            if (!card || event.target !== linkOf(card) || event.ctrlKey || event.metaKey || event.altKey) {
                return;
            }
            if (onKey(event.key, card)) {
                event.preventDefault();
                event.stopPropagation();
            }
        });
        board.addEventListener("focusin", (event) => {
            const card = cardOf(event.target);
            if (card && event.target === linkOf(card)) {
                makeReachable(card.parentElement);
            }
        });
        board.addEventListener("focusout", () => {
            if (held && !held.isMoving) {
                letGo(false);
            }
        });
        window.addEventListener("keydown", (event) => {
            if (event.key === "Escape" && carried) {
                end(carried, false);
            }
        });
    }

    /* Whether the key was used. */
    function onKey(key, card) {
        if (!held && key === "ArrowDown") {
            step(card, "nextElementSibling");
        } else if (!held && key === "ArrowUp") {
            step(card, "previousElementSibling");
        } else if (!isEditable || card.hasAttribute("aria-busy")) {
            return false;
        } else if (key === "ArrowRight" || key === "ArrowLeft") {
            held || pickUp(card);
            carry(key === "ArrowRight" ? 1 : -1);
        } else if (key === " ") {
            held ? letGo(true) : pickUp(card);
        } else if (held && key === "Enter") {
            letGo(true);
        } else if (held && key === "Escape") {
            letGo(false);
        } else {
            return Boolean(held) && key.startsWith("Arrow");
        }
        return true;
    }

    // -- Forms in cards and columns

    function openMover(card) {
        board.querySelector("li > .kb-form [data-cancel]")?.click();
        const form = part("mover").content.cloneNode(true).querySelector("form");
        const button = card.querySelector(":scope > button");
        const select = form.querySelector("select");
        select.value = card.closest(".kb-column").dataset.to;
        button.hidden = true;
        card.append(form);
        select.focus();
        const close = () => {
            form.remove();
            button.hidden = false;
        };
        form.querySelector("[data-cancel]").addEventListener("click", (event) => {
            event.preventDefault();
            close();
            button.focus();
        });
        form.addEventListener("submit", (event) => {
            event.preventDefault();
            const { value, selectedOptions } = select;
            close();
            linkOf(card).focus();
            move(card, value, selectedOptions[0].dataset.kind, placeOf(card));
        });
    }

    function openAdder(link) {
        const column = link.closest(".kb-column");
        board.querySelector(".kb-column > .kb-form")?.remove();
        const form = part("adder").content.cloneNode(true).querySelector("form");
        form.elements.form_key.value = crypto.randomUUID?.() ?? form.elements.form_key.value;
        form.elements.stage.value = column.dataset.to;
        column.insertBefore(form, listOf(column));
        form.elements.name.focus();
        form.elements.contact_text.addEventListener("input", () => suggest(form));
        const close = () => {
            form.remove();
            link.focus();
        };
        form.querySelector("[data-cancel]").addEventListener("click", close);
        form.addEventListener("keydown", (event) => event.key === "Escape" && close());
        form.addEventListener("submit", async (event) => {
            event.preventDefault();
            const button = form.querySelector("button");
            button.disabled = true;
            const reply = await send(new FormData(form), form.action);
            button.disabled = false;
            const fresh = apply(reply, null, null);
            if (reply.is_done) {
                form.remove();
                prepare();
                restoreFocus(fresh, true);
            }
        });
    }

    /* Contacts that match what is typed. Choosing one sets the id; any other text clears it. */
    let found = new Map();
    let asked = 0;

    async function suggest(form) {
        const text = form.elements.contact_text.value;
        form.elements.contact.value = found.get(text) ?? "";
        if (text.trim().length < 2 || found.has(text)) {
            return;
        }
        const number = ++asked;
        const answer = await fetch(board.dataset.contacts + encodeURIComponent(text));
        if (!answer.ok || number !== asked) {
            return;
        }
        const { results } = await answer.json();
        found = new Map(results.map((result) => [result.text, result.id]));
        part("contacts").replaceChildren(...results.map((result) => new Option("", result.text)));
    }

    // -- Undo, and further pages

    async function undo(link) {
        const form = new FormData();
        form.set("csrfmiddlewaretoken", part("mover").content.querySelector("[name=csrfmiddlewaretoken]").value);
        form.set("next", location.pathname + location.search);
        const answer = await fetch(link.href, { method: "POST", body: form });
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("kb-columns");
        if (!fresh) {
            location.href = link.href; // the page of the undo has the reason of the refusal
            return;
        }
        const left = columns.scrollLeft;
        columns.replaceChildren(...fresh.childNodes);
        columns.scrollLeft = left;
        prepare();
        const report = page.querySelector(".crm-report");
        show(report?.outerHTML ?? plain(textOf("notUndone")), Boolean(report));
    }

    async function showMore(link) {
        link.setAttribute("aria-busy", "true");
        const answer = await fetch(link.dataset.more);
        if (!answer.ok || answer.redirected) {
            location.reload();
            return;
        }
        const holder = document.createElement("template");
        holder.innerHTML = await answer.text();
        const list = link.closest("ol");
        // A card that has moved here meanwhile is there already.
        for (const card of [...holder.content.children]) {
            if (card.id && document.getElementById(card.id)) {
                card.remove();
            }
        }
        const first = holder.content.querySelector("li > a");
        link.parentElement.replaceWith(holder.content);
        makeReachable(list);
        first?.focus();
    }

    board.addEventListener("click", (event) => {
        const target = event.target;
        const act = (selector, run) => {
            const element = target.closest(selector);
            if (element && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
                event.preventDefault();
                run(element);
            }
        };
        act("[data-more]", showMore);
        act(".kb-add", openAdder);
        act("li > button[name=move]", (button) => openMover(button.parentElement));
        act(".crm-undo-now", undo);
    });
    // A click beside the filters or the views closes them, as does Escape.
    for (const details of board.querySelectorAll(".kb-bar details")) {
        document.addEventListener("click", (event) => details.contains(event.target) || (details.open = false));
        details.addEventListener("keydown", (event) => {
            if (event.key === "Escape") {
                details.open = false;
                details.querySelector("summary").focus();
            }
        });
    }

    prepare();
    listenToKeys();
    if (isEditable) {
        listenToPointers();
    }
})();
