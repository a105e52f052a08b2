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
  show(by("left-picture"), left, say("none on the left"));
  show(by("right-picture"), right, say("none on the right"));
  by("compare-renders").replaceChildren(...references([left, right]));
  const at = by("divider").value;
  const [leftArm, rightArm] = ["left", "right"].map((side) => named.get(by(side).value));
  by("divider").setAttribute("aria-valuetext", `${at}% ${leftArm}, ${100 - at}% ${rightArm}`);
  document.querySelector(".stack").style.setProperty("--at", `${at}%`);
  by("compare-text").textContent = `${leftArm} | ${rightArm}: ${words(JSON.parse(scene))}`;
  grid(weight, epoch, size);
  for (const id of controls) kept.set(id, by(id).value);
  history.replaceState(null, "", `#${kept}`);
}

for (const figure of document.querySelectorAll(".front")) {
  const reveal = ({ currentTarget: dot }) => {
    const { arm, weight, epoch } = dot.dataset;
    const own = pictures.filter((picture) => picture.story === figure.dataset.story && picture.of === arm
      && picture.weight === Number(weight) && String(picture.epoch ?? "") === epoch);
    figure.querySelector(".point").textContent = dot.getAttribute("aria-label");
    figure.querySelector(".point-pictures").replaceChildren(...references(own.slice(0, 1)), ...own.map((picture) => {
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
  for (const arm of arms) for (const side of ["left", "right"]) option(by(side), arm, named.get(arm));
  for (const way of Object.keys(columns)) if (columns[way].values.length) option(by("columns"), way, say(way));
  for (const scene of scenes) option(by("prompt"), scene, words(JSON.parse(scene)));
  by("weight").max = Math.max(0, weights.length - 1);
  by("weight").value = weights.indexOf(nearest(weights, 1));
  by("epoch").max = by("epoch").value = epochs.length - 1;
  const left = arms.find((arm) => arm.endsWith("control")) ?? arms[0];
  const others = arms.length > 1 ? arms.filter((arm) => arm !== left) : arms;
  by("left").value = left;
  by("right").value = ["refined", "target", ""].map((end) => others.find((arm) => arm.endsWith(end))).find((arm) => arm);
  for (const id of controls) {
    if (kept.has(id)) by(id).value = kept.get(id);
    by(id).addEventListener("input", draw);
  }
  draw();
}

for (const section of document.querySelectorAll(".pick:has(.picks)")) {
  const list = () => {
    const names = [...section.querySelectorAll("input:checked")].map((box) => JSON.stringify(box.value));
    section.querySelector(".picks").textContent = `[${section.querySelector("[data-table]").dataset.table}]\npicks = [${names.join(", ")}]`;
  };
  section.addEventListener("change", list);
  list();
}

for (const button of document.querySelectorAll("button.copy")) {
  button.addEventListener("click", async () => {
    const text = button.nextElementSibling;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = say("copied");
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = say("selected");
    }
  });
}

if (document.body.dataset.running === "yes") {
  setInterval(() => by("reload").checked && location.reload(), 20000);
}
