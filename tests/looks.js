// Whether the text on an open page stands out from what is behind it, look by look.
//
// Contrast follows from a text's colour, size and weight and from what lies behind it, and how a link
// stands out from the text around it too. So of all text of one look a few pieces are given to axe.
async (rules) => {
  const CLEAR = "rgba(0, 0, 0, 0)", PIECES = 3;
  const behind = new Map([[null, ""]]);
  // What is placed apart from the text around it may lie on anything, so it has a look of its own.
  const background = one => {
    if (!behind.has(one)) {
      const {backgroundColor, opacity, position} = getComputedStyle(one);
      const apart = ["absolute", "fixed", "sticky"].includes(position) ? `#${behind.size}` : "";
      const plain = backgroundColor === CLEAR && opacity === "1";
      behind.set(one, background(one.parentElement) + apart + (plain ? "" : `${backgroundColor} ${opacity};`));
    }
    return behind.get(one);
  };
  const text = one => [...one.childNodes]
    .filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data).join("").trim();
  const looks = new Map();
  for (const one of document.body.querySelectorAll("*")) {
    if (!text(one) || !one.getClientRects().length) continue;
    const {color, fontSize, fontWeight, textShadow} = getComputedStyle(one);
    const around = one.closest("a")?.parentElement;
    const beside = around ? getComputedStyle(around).color : "";
    const look = [color, fontSize, fontWeight, textShadow, beside, background(one)].join(" ");
    looks.set(look, [...(looks.get(look) || []), one]);
  }
  // axe leaves a single letter open.
  const look_of = new Map();
  for (const [look, all] of looks) {
    all.sort((one, other) => text(other).length - text(one).length);
    for (const one of all.slice(0, PIECES)) look_of.set(one.closest("a") || one, look);
  }
  const found = await axe.run({include: [...look_of.keys()]}, {runOnly: rules, elementRef: true});
  const nodes = results => results.flatMap(one => one.nodes.map(node => ({rule: one.id, ...node})));
  const look = one => look_of.get(one) ?? look(one.parentElement);
  // A rule that has judged a look says nothing of what another rule has left open.
  const asked = node => `${node.rule}: ${look(node.element)}`;
  const judged = new Set(nodes([...found.passes, ...found.violations]).map(asked));
  const open = nodes(found.incomplete).filter(node => !judged.has(asked(node)));
  return [
    ...nodes(found.violations).map(node => `does not stand out: ${node.target} ${node.html.slice(0, 160)}`),
    ...open.map(node => `cannot be judged: ${node.target} ${node.any[0]?.message}`),
  ];
}
