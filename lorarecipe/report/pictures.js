"use strict";
const by = (id) => document.getElementById(id);
const [pictures, texts] = ["data", "texts"].map((id) => JSON.parse(by(id).textContent));
/* A text in the language of the page, with its gaps filled in. */
const say = (text, values) => texts[text].replace(/\{(\w+)\}/g, (_, gap) => values[gap]);
const unique = (values) => [...new Set(values)];
const LAST = Number.MAX_SAFE_INTEGER;
const epochOf = (picture) => picture.epoch ?? LAST;
const label = (epoch) => (epoch === LAST ? say("last") : String(epoch));
const epochText = (epoch) => (epoch === LAST ? say("last epoch") : say("epoch", { epoch }));

const arms = unique(pictures.map((picture) => picture.arm));
const weights = unique(pictures.filter((picture) => picture.weight > 0).map((picture) => picture.weight)).sort((a, b) => a - b);
const epochs = unique(pictures.map(epochOf)).sort((a, b) => a - b);
const scenes = unique(pictures.map((picture) => JSON.stringify([picture.prompt, picture.seed])));
const words = ([prompt, seed]) => say("scene", { prompt: prompt || say("nothing"), seed });
/* What arms are called on the page. */
const named = new Map(pictures.map((picture) => [picture.arm, picture.named]));

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
  image.alt = picture ? say("picture", { ...picture, arm: picture.named }) : missing;
  image.onload = () => image.classList.toggle("small", image.naturalWidth < 256);
}

function linked(picture) {
  const link = document.createElement("a");
  link.href = picture.link;
  show(link.appendChild(document.createElement("img")), picture, "");
  return link;
}

/* The renders that belong beside pictures of one prompt: those of each story once, from the strips above. */
function references(of) {
  const stories = new Map(of.filter(Boolean).map((picture) => [picture.story, picture]));
  const figures = [...stories.values()].flatMap((picture) => {
    const strip = [...document.querySelectorAll(".renders[data-story]")].find((one) => one.dataset.story === picture.story);
    const images = strip ? [...strip.querySelectorAll("img")] : [];
    return picture.renders.map((number) => images[number]).filter(Boolean);
  });
  return unique(figures.map((image) => image.src)).map((source) => {
    const image = figures.find((one) => one.src === source);
    const figure = document.createElement("figure");
    figure.className = "reference";
    const copy = figure.appendChild(document.createElement("img"));
    copy.src = source;
    copy.alt = image.alt;
    copy.onload = () => copy.classList.toggle("small", copy.naturalWidth < 256);
    figure.appendChild(document.createElement("figcaption")).textContent = say("render");
    return figure;
  });
}
