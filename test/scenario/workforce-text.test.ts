// What the main job makes of a text: sentences, figures, weights, and what its checks accept.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { complete, measured, occurs, titled, traced } from "../../examples/workforce/checks.ts";
import { figuresOf } from "../../examples/workforce/provider/figures.ts";
import { rank } from "../../examples/workforce/provider/textrank.ts";
import { readText } from "../../examples/workforce/sentences.ts";

const sentencesOf = (source: string) => readText(source).sentences.map(({ text }) => text);

describe("sentences", () => {
  it("end where Unicode ends them, not after an abbreviation, an initial or a decimal", () => {
    expect(sentencesOf("Dr. Smith waits 3.5 ms, e.g. Foo. J. Doe does not! Why?")).toEqual([
      "Dr. Smith waits 3.5 ms, e.g. Foo.",
      "J. Doe does not!",
      "Why?",
    ]);
  });

  it("are found in German and in Chinese", () => {
    expect(sentencesOf("Am 3. Mai galt z. B. das Gesetz bzw. Verbot. Danach nicht.")).toEqual([
      "Am 3. Mai galt z. B. das Gesetz bzw. Verbot.",
      "Danach nicht.",
    ]);
    expect(sentencesOf("这是第一句。第二句！真的吗？")).toEqual(["这是第一句。", "第二句！", "真的吗？"]);
  });

  it("are paragraphs, items, quotations and rows of tables; code, comments, rules and definitions are none", () => {
    const page = [
      "---",
      "title: front matter",
      "---",
      "# A heading",
      "One paragraph",
      "in two lines.",
      "- [ ] an item",
      "- another",
      "> quoted",
      "",
      "| name | ms |",
      "|------|----|",
      "| here | 5  |",
      "",
      "```js",
      "const code = 1; // No sentence.",
      "```",
      "<!-- a",
      "comment -->",
      "Under",
      "=====",
      "[ref]: https://example.org",
      "***",
      "The end.",
    ].join("\n");

    const { headings, sentences } = readText(page);

    expect(headings).toEqual(["A heading", "Under"]);
    expect(sentences.map(({ line, text }) => `${line} ${text}`)).toEqual([
      "5 One paragraph in two lines.",
      "7 an item",
      "8 another",
      "9 quoted",
      "13 here | 5",
      "24 The end.",
    ]);
  });

  it("lose links, images, bold marks and tags, and keep code spans as they are", () => {
    expect(
      sentencesOf("See **[the `a. B` docs](x/y_(z).md)** ![logo](l.png) <b>now</b> and `**this** <b>`[^1]."),
    ).toEqual(["See the `a. B` docs logo now and `**this** <b>`."]);
  });

  it("that have no end are cut, at a space where there is one", () => {
    const [first, second] = sentencesOf("word ".repeat(200));
    expect(first).toHaveLength(599);
    expect(second).toMatch(/^word word/);
  });

  it("take time in proportion to the text, also where it is a mass of half-open marks", () => {
    for (const mark of ["**a ", "<!-- ", "![a ", "[a](( ", "<a ", "`a ", "> ", "* ", "| "]) {
      const began = performance.now();
      readText(mark.repeat(200_000 / mark.length));
      expect(performance.now() - began, mark).toBeLessThan(2000);
    }
  });
});

describe("figures", () => {
  it("are numbers with what they measure, those with a unit first", () => {
    expect(figuresOf("Node 24 takes 1,042 bytes and 5 % (−3 °C), 1 604 in all.")).toEqual([
      "1,042 bytes",
      "5 %",
      "−3 °C",
      "24",
      "1 604",
    ]);
    expect(figuresOf("共有35%的人")).toEqual(["35%"]);
  });

  it("are no part of a name, a version, a date or an address", () => {
    expect(figuresOf("v1.2.3, sha256, node@24, 2024-01-03, 192.168.0.1, P2, [0,0,0], 10:30")).toEqual([]);
  });

  it("are always found again by the check", () => {
    const pieces = fc.constantFrom(
      "1",
      "23",
      "604",
      ",",
      ".",
      " ",
      "-",
      "−",
      "$",
      "%",
      " ms",
      "s",
      "x",
      "a",
      "年",
      "'",
      "(",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 14 }), (parts) => {
        const sentence = parts.join("");
        for (const figure of figuresOf(sentence))
          expect(occurs(figure, sentence), `${figure} in ${sentence}`).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("TextRank", () => {
  const page = [
    "The breaker opens when calls fail too often.",
    "An open breaker refuses calls at once.",
    "After a break the breaker lets one call through.",
    "Bananas are yellow.",
  ];

  it.each(["overlap", "cosine", "dice"] as const)("puts the sentence that stands alone last, by %s", (similarity) => {
    const weights = rank(page, { damping: 0.85, similarity });
    expect(Math.min(...weights)).toBe(weights[3]);
    expect(weights.every((weight) => Number.isFinite(weight) && weight > 0)).toBe(true);
  });

  it("gives a text without common words, one sentence or none a weight each", () => {
    for (const few of [[], ["One."], ["a", "b"], ["", ""]])
      for (const similarity of ["overlap", "cosine", "dice"] as const)
        expect(rank(few, { damping: 0.85, similarity }).every(Number.isFinite)).toBe(true);
  });
});

describe("checks", () => {
  const text = readText("# Retry and breaker\n\nIt waits 5 ms. It never gives up, says “Ada”.");

  it("accept the document's own words where they are said to be", () => {
    expect(titled("Breaker and retry", text)).toEqual([]);
    expect(traced([{ source: 2, text: 'It never gives up, says "Ada".' }], text, "summary")).toEqual([]);
    expect(measured([{ source: 1, figure: "5 ms" }], text)).toEqual([]);
  });

  it("refuse an invented word, a changed or misplaced sentence, a wrong figure, nothing and the same twice", () => {
    expect(titled("Retry saves 40 %", text).map(({ got }) => got)).toEqual(["saves", "40"]);
    expect(titled(" ", text)).toHaveLength(1);
    expect(traced([{ source: 2, text: "It gives up." }], text, "summary")).toHaveLength(1);
    expect(traced([{ source: 1, text: "It never gives up, says “Ada”." }], text, "summary")).toHaveLength(1);
    expect(traced([{ source: 9, text: "" }], text, "summary")).toHaveLength(1);
    expect(measured([{ source: 1, figure: "15 ms" }], text)).toHaveLength(1);
    expect(complete([], "summary")).toHaveLength(1);
    expect(
      complete(
        [text.sentences[0]!, text.sentences[0]!].map(({ text }) => ({ source: 1, text })),
        "summary",
      ),
    ).toHaveLength(1);
  });

  it("take a figure only as a number of its own", () => {
    expect(["42", "4.2", "1,4", "4xx"].some((other) => occurs("4", other))).toBe(false);
    expect(occurs("5 s", "5 seconds")).toBe(false);
    expect(occurs("4", "(4)")).toBe(true);
  });
});
