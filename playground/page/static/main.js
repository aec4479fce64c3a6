/** Puts the page together: the only module that knows all parts. */

import { mountBotCard } from "./bot-card.js";
import { mountComposer } from "./composer/composer.js";
import { mountModals } from "./dialogs/modal.js";
import { byId } from "./dom.js";
import { mountDrawer } from "./drawer.js";
import { mountHeader, mountTyping } from "./header.js";
import { mountAnnouncer } from "./messages/announcer.js";
import { mountMessages, wordsOf } from "./messages/messages.js";
import { mountPanel } from "./panel/panel.js";
import { mountSidebar } from "./sidebar.js";
import { store } from "./store.js";
import { mountTheme } from "./theme.js";
import { mountWelcome } from "./welcome.js";

const composer = /** @type {HTMLFormElement} */ (byId("composer"));

mountTheme(/** @type {HTMLButtonElement} */ (byId("theme-toggle")));
mountSidebar({
    channels: byId("channels"),
    actAs: /** @type {HTMLSelectElement} */ (byId("act-as")),
    avatar: byId("me-avatar"),
    name: byId("server-name"),
});
mountBotCard(byId("bot-card"));
mountDrawer({ sidebar: byId("sidebar"), toggle: byId("drawer-toggle"), shade: byId("drawer-shade") });
mountHeader({ title: byId("chat-title"), banner: byId("banner"), connection: byId("connection") });
mountWelcome({ start: byId("channel-start"), popup: byId("try"), composer });
mountMessages(byId("messages"), byId("message-list"), /** @type {HTMLButtonElement} */ (byId("jump")));
mountTyping(byId("typing"));
mountAnnouncer(byId("announcer"), wordsOf);
mountComposer(composer);
mountModals(byId("dialogs"));
mountPanel(byId("panel"), byId("panel-toggle"));

// Followed by hand: the address after # says which channel is shown.
document.querySelector(".skip-link")?.addEventListener("click", (event) => {
    event.preventDefault();
    document.getElementById("composer-text")?.focus();
});

store.start();
