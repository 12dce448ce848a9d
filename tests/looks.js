// Whether the text on an open page stands out from what is behind it, look by look.
//
// Contrast follows from a text's colour, size and weight and from what lies behind it, and how a link
// stands out from the text around it too. So of all text of one look a few pieces are given to axe,
// unless the look is among the `sound` ones: those that it has judged before, and found well.
async ({rules, sound}) => {
  const CLEAR = "rgba(0, 0, 0, 0)", PIECES = 3;
  const behind = new Map([[null, ""]]);
  // What is placed apart from the text around it may lie on anything, so it has a look of its own,
  // on its own page, unless it covers what it lies on.
  const APART = "apart";
  const background = one => {
    if (!behind.has(one)) {
      const {backgroundColor, opacity, position} = getComputedStyle(one);
      const outer = background(one.parentElement);
      const faded = / 0(\.\d+)?;/.test(outer);
      if (backgroundColor.startsWith("rgb(") && opacity === "1" && !faded) {
        behind.set(one, backgroundColor);
      } else {
        const apart = ["absolute", "fixed", "sticky"].includes(position) ? `${APART} ${behind.size}` : "";
        const plain = backgroundColor === CLEAR && opacity === "1";
        behind.set(one, outer + apart + (plain ? "" : `${backgroundColor} ${opacity};`));
      }
    }
    return behind.get(one);
  };
  const text = one => [...one.childNodes]
    .filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join("").trim();
  const STYLE = ["color", "backgroundColor", "fontFamily", "fontSize", "fontStyle", "fontWeight",
    "textDecorationLine", "textDecorationStyle", "borderBottomStyle", "outlineStyle"];
  const style = one => STYLE.map(name => getComputedStyle(one)[name]).join(" ");
  // How a link is told from the text around it, where there is some.
  const told = link => {
    if (!getComputedStyle(link).display.startsWith("inline")) return "";
    let block = link.parentElement;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    if (block.textContent.trim().length === link.textContent.trim().length) return "";
    return `link ${style(link)} in ${style(block)}`;
  };
  const looks = new Map(), look_of = new Map();
  for (const one of document.body.querySelectorAll("*")) {
    const {length} = text(one);
    if (!length || !one.getClientRects().length) continue;
    const {color, fontSize, fontWeight, textShadow, visibility} = getComputedStyle(one);
    const {right, bottom} = one.getBoundingClientRect();
    if (visibility !== "visible" || right + scrollX <= 0 || bottom + scrollY <= 0) continue;  // shown on demand
    const link = one.closest("a"), beside = link ? told(link) : "";
    const look = [color, fontSize, fontWeight, textShadow, beside, background(one)].join(" ");
    look_of.set(one, look);
    // Whether a link is told from its text is asked of the link, whatever is inside it.
    if (link && !look_of.has(link)) look_of.set(link, look);
    if (sound.includes(look)) continue;
    if (!looks.has(look)) looks.set(look, {beside, longest: []});
    // axe leaves a single letter open.
    const {longest} = looks.get(look);
    longest.push({length, one});
    longest.sort((one, other) => other.length - one.length).splice(PIECES);
  }
  const pieces = [...looks.values()].flatMap(({longest}) => longest.map(({one}) => one.closest("a") || one));
  if (!pieces.length) return {faults: [], sound: []};
  const found = await axe.run({include: [...new Set(pieces)]}, {runOnly: rules, elementRef: true});
  const nodes = results => results.flatMap(one => one.nodes.map(node => ({rule: one.id, ...node})));
  // A rule that has judged a look says nothing of what another rule has left open.
  const asked = node => `${node.rule}: ${look_of.get(node.element)}`;
  const well = new Set(nodes(found.passes).map(asked)), ill = new Set(nodes(found.violations).map(asked));
  // What is inside a piece and has another look was not asked of axe here.
  const open = nodes(found.incomplete).filter(node =>
    looks.has(look_of.get(node.element)) && !well.has(asked(node)) && !ill.has(asked(node)));
  const needed = look => looks.get(look).beside ? rules : ["color-contrast"];
  const faulty = new Set([...nodes(found.violations), ...open].map(node => look_of.get(node.element)));
  return {
    faults: [
      ...nodes(found.violations).map(node => `does not stand out: ${node.target} ${node.html.slice(0, 160)}`),
      ...open.map(node => `cannot be judged: ${node.target} ${node.any[0]?.message}`),
    ],
    // What a rule had nothing to say of, such as a link with no text around it, is asked again.
    sound: [...looks.keys()].filter(look => !look.includes(APART) && !faulty.has(look)
      && needed(look).every(rule => well.has(`${rule}: ${look}`))),
  };
}
