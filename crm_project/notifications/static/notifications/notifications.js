/* Marks a notification as read when its row is opened; without this script its button does. */
"use strict";

document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-read]");
    const form = link?.closest("li").querySelector("form");
    if (form) {
        fetch(link.dataset.read, { method: "POST", body: new FormData(form), keepalive: true, redirect: "manual" });
    }
});
