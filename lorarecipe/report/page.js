"use strict";
const pictures = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const unique = (values) => [...new Set(values)];
const LAST = Number.MAX_SAFE_INTEGER;
const epochOf = (picture) => picture.epoch ?? LAST;
const label = (epoch) => (epoch === LAST ? "last" : String(epoch));

const arms = unique(pictures.map((picture) => picture.arm));
const weights = unique(pictures.filter((picture) => picture.weight > 0).map((picture) => picture.weight)).sort((a, b) => a - b);
const epochs = unique(pictures.map(epochOf)).sort((a, b) => a - b);
const scenes = unique(pictures.map((picture) => JSON.stringify([picture.prompt, picture.seed])));
const words = ([prompt, seed]) => `${prompt || "(nothing)"}, seed ${seed}`;

/* Where somebody is on the page is kept in its address: loading it anew changes nothing. */
const kept = new URLSearchParams(location.hash.slice(1));
const controls = ["weight", "epoch", "size", "left", "right", "prompt", "divider", "columns"];

function nearest(values, wanted) {
  return values.reduce((best, value) => (Math.abs(value - wanted) < Math.abs(best - wanted) ? value : best), values[0]);
}

/* An arm's picture of a scene: without a LoRA there is one weight only, and of the base one epoch. */
function find(arm, scene, weight, epoch) {
  const [prompt, seed] = JSON.parse(scene);
  const of = pictures.filter((picture) => picture.arm === arm && picture.prompt === prompt && picture.seed === seed);
  if (!of.length) return undefined;
  const near = nearest(of.map((picture) => picture.weight), weight);
  const alike = of.filter((picture) => picture.weight === near);
  const when = nearest(alike.map(epochOf), epoch);
  return alike.find((picture) => epochOf(picture) === when);
}

function show(image, picture, missing) {
  image.src = picture ? picture.small : "data:,";
  image.alt = picture ? `${picture.arm}, weight ${picture.weight}: ${picture.prompt}` : missing;
  image.onload = () => image.classList.toggle("small", image.naturalWidth < 256);
}

function option(select, value, text) {
  const one = document.createElement("option");
  one.value = value;
  one.textContent = text;
  select.append(one);
}

function draw() {
  const weight = weights[by("weight").value] ?? 0;
  const epoch = epochs[by("epoch").value];
  const size = by("size").value;
  for (const [id, text] of [["weight", `${weight}`], ["epoch", label(epoch)], ["size", `${size} px`]]) {
    by(`${id}-text`).textContent = text;
    by(id).setAttribute("aria-valuetext", text);
  }
  const scene = by("prompt").value;
  const [left, right] = ["left", "right"].map((side) => find(by(side).value, scene, weight, epoch));
  show(by("left-picture"), left, "no picture on the left");
  show(by("right-picture"), right, "no picture on the right");
  const at = by("divider").value;
  by("divider").setAttribute("aria-valuetext", `${at}% ${by("left").value}, ${100 - at}% ${by("right").value}`);
  document.querySelector(".stack").style.setProperty("--at", `${at}%`);
  by("compare-text").textContent = `${by("left").value} | ${by("right").value}: ${words(JSON.parse(scene))}`;
  grid(weight, epoch, size);
  for (const id of controls) kept.set(id, by(id).value);
  history.replaceState(null, "", `#${kept}`);
}

/* The ways that columns may be: what each is called, its values, and how a cell's picture is found. */
const columns = {
  arms: { values: arms, head: (arm) => arm, of: (arm, scene, weight, epoch) => find(arm, scene, weight, epoch) },
  weights: { values: weights, head: (weight) => `weight ${weight}`, of: (weight, scene, _, epoch) => find(by("right").value, scene, weight, epoch) },
  epochs: { values: epochs, head: (epoch) => `epoch ${label(epoch)}`, of: (epoch, scene, weight) => find(by("right").value, scene, weight, epoch) },
};

let drawn = "";
function grid(weight, epoch, size) {
  by("grid").style.setProperty("--size", `${size}px`);
  const way = by("columns").value;
  const state = [way, weight, epoch, by("right").value].join(" ");
  if (drawn === state) return;
  drawn = state;
  const shown = columns[way];
  const table = by("grid");
  table.replaceChildren();
  const heads = table.createTHead().insertRow();
  const cell = (row, tag, text) => {
    const one = row.appendChild(document.createElement(tag));
    one.textContent = text;
    return one;
  };
  cell(heads, "th", way === "arms" ? "prompt" : `prompt, ${by("right").value}`).scope = "col";
  for (const value of shown.values) cell(heads, "th", headOf(way, value, weight, epoch)).scope = "col";
  const body = table.createTBody();
  for (const scene of scenes) {
    const row = body.insertRow();
    cell(row, "th", words(JSON.parse(scene))).scope = "row";
    for (const value of shown.values) {
      const picture = shown.of(value, scene, weight, epoch);
      const place = row.insertCell();
      if (picture) place.append(linked(picture));
    }
  }
}

/* An arm may have been drawn at other weights and epochs than those that are asked for: its head says which. */
function headOf(way, value, weight, epoch) {
  if (way !== "arms") return columns[way].head(value);
  const first = scenes.map((scene) => find(value, scene, weight, epoch)).find(Boolean);
  return first && first.weight ? `${value}, weight ${first.weight}, epoch ${label(epochOf(first))}` : value;
}

function linked(picture) {
  const link = document.createElement("a");
  link.href = picture.link;
  show(link.appendChild(document.createElement("img")), picture, "");
  return link;
}

for (const figure of document.querySelectorAll(".front")) {
  const reveal = ({ currentTarget: dot }) => {
    const { arm, weight, epoch } = dot.dataset;
    const own = pictures.filter((picture) => picture.story === figure.dataset.story && picture.of === arm
      && picture.weight === Number(weight) && String(picture.epoch ?? "") === epoch);
    figure.querySelector(".point").textContent = dot.getAttribute("aria-label");
    figure.querySelector(".point-pictures").replaceChildren(...own.map((picture) => {
      const one = document.createElement("figure");
      one.append(linked(picture));
      one.appendChild(document.createElement("figcaption")).textContent = words([picture.prompt, picture.seed]);
      return one;
    }));
  };
  for (const dot of figure.querySelectorAll(".dot")) {
    dot.addEventListener("pointerenter", reveal);
    dot.addEventListener("focus", reveal);
  }
}

if (pictures.length) {
  by("pictures").hidden = false;
  for (const arm of arms) for (const side of ["left", "right"]) option(by(side), arm, arm);
  for (const way of Object.keys(columns)) if (columns[way].values.length) option(by("columns"), way, way);
  for (const scene of scenes) option(by("prompt"), scene, words(JSON.parse(scene)));
  by("weight").max = Math.max(0, weights.length - 1);
  by("weight").value = weights.indexOf(nearest(weights, 1));
  by("epoch").max = by("epoch").value = epochs.length - 1;
  by("left").value = arms.find((arm) => arm.endsWith("control")) ?? arms[0];
  by("right").value = arms.find((arm) => arm.endsWith("refined")) ?? arms.find((arm) => arm.endsWith("target")) ?? arms[arms.length - 1];
  for (const id of controls) {
    if (kept.has(id)) by(id).value = kept.get(id);
    by(id).addEventListener("input", draw);
  }
  draw();
}

for (const section of document.querySelectorAll(".pick:has(.picks)")) {
  const list = () => {
    const names = [...section.querySelectorAll("input:checked")].map((box) => JSON.stringify(box.value));
    section.querySelector(".picks").textContent = `[${section.querySelector(".thumbs").dataset.table}]\npicks = [${names.join(", ")}]`;
  };
  section.addEventListener("change", list);
  list();
}

for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const text = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
  });
}

if (document.body.dataset.running === "yes") {
  setInterval(() => by("reload").checked && location.reload(), 20000);
}
