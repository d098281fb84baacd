"use strict";
(() => {
  const all = (selector, from = document) => Array.from(from.querySelectorAll(selector));
  const byId = (id) => document.getElementById(id);
  const player = byId("player");
  const sounds = new Map(
    all("#sounds span").map((one) => [one.dataset.call + "\n" + one.dataset.side, one.dataset.src]),
  );
  const calls = all(".call");
  const figureOf = new Map();
  for (const figure of all(".session")) {
    const call = figure.closest(".call").querySelector("h3").textContent;
    figureOf.set(call + "\n" + figure.dataset.side, figure);
  }
  for (const label of all(".ticks li")) {
    const rects = all("rect", label.closest(".ticks"));
    const index = Array.from(label.parentNode.children).indexOf(label);
    label.style.left = Number(rects[index].getAttribute("x")) / 10 + "%";
  }

  // One sound at a time; a cursor on the session that it is of.
  let now = null;
  let start = 0;
  let button = null;
  const mute = byId("mute");
  const length = (figure) => Number(figure.dataset.length);
  const stop = () => {
    player.pause();
    if (button) button.classList.remove("playing");
  };
  const fail = () => {
    stop();
    now = null;
    mute.hidden = false;
  };
  const run = () => {
    if (button) button.classList.add("playing");
    player.play().catch((error) => {
      if (error.name !== "AbortError") fail(); // aborted: another click came before
    });
  };
  // From where the last click wants it, however many there were until the sound is there.
  const begin = () => {
    player.currentTime = start;
    run();
  };
  const resume = () => {
    if (player.readyState < HTMLMediaElement.HAVE_METADATA) return;
    if (player.ended) begin();
    else run();
  };
  const play = (key, at, from) => {
    const source = sounds.get(key);
    if (!source) return;
    if (button && button === from && !player.paused) return stop();
    stop();
    mute.hidden = true;
    start = at;
    button = from;
    if (now !== key) {
      now = key;
      player.src = source;
      player.load();
    } else if (player.readyState >= HTMLMediaElement.HAVE_METADATA) {
      begin();
    }
  };
  player.addEventListener("loadedmetadata", begin);
  player.addEventListener("error", () => now && fail());
  player.addEventListener("ended", stop);
  const draw = () => {
    const figure = figureOf.get(now);
    if (figure) {
      const x = Math.min(1000, (1000 * player.currentTime) / length(figure));
      const cursor = figure.querySelector(".cursor");
      cursor.setAttribute("x1", x);
      cursor.setAttribute("x2", x);
    }
    if (!player.paused) requestAnimationFrame(draw);
  };
  player.addEventListener("play", draw);
  player.addEventListener("seeked", draw);
  document.addEventListener("click", (event) => {
    reach(event.target);
    const hear = event.target.closest("button.hear");
    if (hear) {
      play(hear.dataset.call + "\n" + hear.dataset.side, Number(hear.dataset.at), hear);
      return;
    }
    const box = event.target.closest(".session rect");
    if (box) {
      const figure = box.closest(".session");
      const call = figure.closest(".call").querySelector("h3").textContent;
      choose(figure, box);
      if (box.dataset.at) play(call + "\n" + figure.dataset.side, Number(box.dataset.at), null);
    }
    const step = event.target.closest("button.step");
    if (step) walk(step.closest(".session"), Number(step.dataset.step));
    const link = event.target.closest("a[href^='#call-']");
    if (link) reveal(document.getElementById(decodeURIComponent(link.hash.slice(1)))
      || document.getElementById(link.hash.slice(1)));
  });

  // What a session's drawing holds, one after the other, for whoever does not point with a mouse.
  const choose = (figure, box) => {
    for (const one of all("rect.chosen", figure)) one.classList.remove("chosen");
    box.classList.add("chosen");
    figure.querySelector("output").textContent = box.textContent;
    const hear = figure.querySelector("button.from");
    if (!hear) return;
    hear.hidden = !box.dataset.at;
    hear.dataset.at = box.dataset.at || "0";
  };
  const walk = (figure, step) => {
    const seen = new Set();
    const boxes = all("rect", figure)
      .sort((one, other) => one.getAttribute("x") - other.getAttribute("x"))
      .filter((one) => !seen.has(one.textContent) && seen.add(one.textContent));
    const chosen = figure.querySelector("rect.chosen");
    const at = boxes.findIndex((one) => chosen && one.textContent === chosen.textContent);
    const next = at < 0 ? (step > 0 ? 0 : boxes.length - 1) : at + step;
    if (boxes[next]) choose(figure, boxes[next]);
  };

  // Filters.
  const fields = { rules: byId("by-rule"), layers: byId("by-layer"), cohort: byId("by-cohort") };
  const text = byId("by-text");
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    for (const call of calls) {
      const fits = Object.entries(fields).every(
        ([name, field]) =>
          !field.value || call.dataset[name].split("\n").includes(field.value),
      );
      call.hidden = !fits || (wanted !== "" && !call.textContent.toLowerCase().includes(wanted));
    }
    count();
  };
  const count = () => {
    const shown = calls.filter((call) => !call.hidden).length;
    byId("shown").textContent = shown === calls.length ? "" : shown + " of " + calls.length + " calls";
  };
  for (const field of [...Object.values(fields), text]) field.addEventListener("input", filter);
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());

  // Keys.
  let current = -1;
  const reach = (element) => {
    const call = element.closest(".call");
    if (!call || call === calls[current]) return;
    if (calls[current]) calls[current].classList.remove("current");
    current = calls.indexOf(call);
  };
  document.addEventListener("focusin", (event) => reach(event.target));
  const go = (step) => {
    const visible = calls.filter((call) => !call.hidden);
    if (!visible.length) return;
    const next = step > 0
      ? visible.find((call) => calls.indexOf(call) > current) || visible[visible.length - 1]
      : visible.filter((call) => calls.indexOf(call) < current).pop() || visible[0];
    reach(next);
    next.classList.add("current");
    next.querySelector("summary").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };
  const reveal = (call) => {
    if (!call) return;
    call.hidden = false;
    count();
    reach(call);
    call.querySelector("details").open = true;
    call.scrollIntoView();
  };
  const theme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  };
  byId("theme").addEventListener("click", theme);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^(input|select|textarea)$/i.test(event.target.tagName)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    const does = {
      j: () => go(1),
      k: () => go(-1),
      d: theme,
      "/": () => text.focus(),
      " ": () => (player.paused ? resume() : stop()),
    }[event.key];
    // Of itself it presses what has the focus, and else turns the page.
    const own = !now || event.shiftKey || event.target.closest("button, summary");
    if (!does || (event.key === " " && own)) return;
    event.preventDefault();
    does();
  });
  // On paper everything is open, and dark on light.
  let restore = () => {};
  addEventListener("beforeprint", () => {
    const closed = all("details:not([open])");
    const chosen = document.documentElement.dataset.theme;
    for (const one of closed) one.open = true;
    document.documentElement.dataset.theme = "light";
    restore = () => {
      for (const one of closed) one.open = false;
      if (chosen) document.documentElement.dataset.theme = chosen;
      else delete document.documentElement.dataset.theme;
    };
  });
  addEventListener("afterprint", () => restore());
  if (location.hash) reveal(document.getElementById(decodeURIComponent(location.hash.slice(1))));
})();
