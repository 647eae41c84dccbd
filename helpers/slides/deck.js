// What a deck does beyond reveal.js: it makes each slide fit its frame.
"use strict";

const READABLE = 0.75;
const SMALLEST = 0.5;
const known = new WeakSet();

// What is too tall gets smaller, and wraps anew in the room that this leaves at its sides. If that is too small to read from the
// last row, what can be unfolded waits for the presenter's click. Asked again whenever a slide comes into view or something
// in it grows, as a live widget does.
function fit(content) {
  if (!content.parentElement.clientHeight) return; // not in view
  if (shrink(content) >= READABLE) return;
  const unfolded = [...content.querySelectorAll("details[open]")].filter((details) => !known.has(details));
  for (const details of unfolded) {
    known.add(details);
    details.open = false;
  }
  if (unfolded.length) shrink(content);
}

function shrink(content) {
  const frame = content.parentElement;
  const fits = () => frame.scrollHeight <= frame.clientHeight;
  let zoom = 1;
  for (; zoom >= SMALLEST; zoom -= 0.025) {
    content.style.zoom = zoom.toFixed(3);
    if (fits()) break;
  }
  frame.style.overflowY = fits() ? "" : "auto";
  return zoom;
}

// reveal.js leaves the keys to a box that has just been clicked; the presenter wants to go on.
function keepKeys() {
  let byHand = false;
  document.addEventListener("pointerdown", () => (byHand = true), true);
  document.addEventListener("keydown", () => (byHand = false), true);
  document.addEventListener("change", ({ target }) => {
    if (byHand && target.matches("input[type=checkbox], select")) target.blur();
  });
}

function present() {
  keepKeys();
  const sizes = new ResizeObserver((entries) => entries.forEach((entry) => fit(entry.target)));
  document.querySelectorAll(".slide-content").forEach((content) => sizes.observe(content));
  return Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0.02,
    center: false,
    hash: true,
    // One way through all slides, also for those that stand below another one: a presenter's remote has only that.
    navigationMode: "linear",
    controlsTutorial: false,
    // So that the speaker view says how much of a slide's time is left; each slide brings its own.
    defaultTiming: 60,
    slideNumber: "c/t",
    transition: "none",
    backgroundTransition: "none",
    pdfMaxPagesPerSlide: 1,
    pdfSeparateFragments: false,
    plugins: [RevealNotes],
  });
}
