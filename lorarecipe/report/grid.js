/* The ways that columns may be: what each is called, its values, and how a cell's picture is found. */
const columns = {
  arms: { values: arms, head: (arm) => named.get(arm), of: (arm, scene, weight, epoch) => find(arm, scene, weight, epoch) },
  weights: { values: weights, head: (weight) => say("weight", { weight }), of: (weight, scene, _, epoch) => find(by("right").value, scene, weight, epoch) },
  epochs: { values: epochs, head: epochText, of: (epoch, scene, weight) => find(by("right").value, scene, weight, epoch) },
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
  table.createCaption().textContent = titleOf(way, weight, epoch);
  const heads = table.createTHead().insertRow();
  for (const head of ["seeds", "renders"]) cell(heads, "th", say(head)).scope = "col";
  for (const value of shown.values) cell(heads, "th", headOf(way, value, weight, epoch)).scope = "col";
  for (const prompt of unique(pictures.map((picture) => picture.prompt))) {
    promptRows(table.createTBody(), prompt, heads.cells.length, (scene) => shown.values.map((value) => shown.of(value, scene, weight, epoch)));
  }
}

/* The rows of a prompt: its words over the whole width, then a row for each seed, with the renders beside all of them. */
function promptRows(body, prompt, width, picturesOf) {
  const own = scenes.filter((scene) => JSON.parse(scene)[0] === prompt);
  const head = cell(body.insertRow(), "th", "");
  head.scope = "rowgroup";
  head.colSpan = width;
  head.appendChild(document.createElement("span")).textContent = prompt || say("nothing");
  own.forEach((scene, at) => {
    const row = body.insertRow();
    cell(row, "th", JSON.parse(scene)[1]).scope = "row";
    if (!at) {
      const place = row.insertCell();
      place.rowSpan = own.length;
      place.className = "references";
      place.appendChild(document.createElement("div")).append(...references(pictures.filter((picture) => picture.prompt === prompt)));
    }
    for (const picture of picturesOf(scene)) {
      const place = row.insertCell();
      if (picture) place.append(linked(picture));
    }
  });
}

function cell(row, tag, text) {
  const one = row.appendChild(document.createElement(tag));
  one.textContent = text;
  return one;
}

/* What all columns have in common. */
function titleOf(way, weight, epoch) {
  return say(`by ${way}`, { arm: named.get(by("right").value), weight, epoch: epochText(epoch) });
}

/* An arm may have been drawn at other weights and epochs than those that are asked for: its head says which. */
function headOf(way, value, weight, epoch) {
  if (way !== "arms") return columns[way].head(value);
  const first = scenes.map((scene) => find(value, scene, weight, epoch)).find(Boolean);
  const arm = named.get(value);
  return first && first.weight ? say("use", { arm, weight: first.weight, epoch: epochText(epochOf(first)) }) : arm;
}
