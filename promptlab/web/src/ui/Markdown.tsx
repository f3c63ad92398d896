/** Somebody else's Markdown as elements of ours. No HTML is ever made of it: tags in it are text, and nothing is fetched. */

import { Anchor } from "@mantine/core";
import { type Token, type Tokens, lexer } from "marked";
import { Fragment, type ReactNode, useMemo } from "react";
import { followable, visible } from "../lib/text";
import { Icon } from "./icons";
import classes from "./markdown.module.css";

/** Characters; beyond them text is shown as it is, since a page must not stand still over an answer. */
const MOST = 200_000;
const DEEPEST = 40;

export default function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => parsed(text), [text]);
  if (!tokens) return <div className={`${classes.markdown} foreign`} dir="auto"><p className={classes.plain}>{visible(text)}</p></div>;
  return <div className={`${classes.markdown} foreign`} dir="auto"><Blocks tokens={tokens} depth={0} /></div>;
}

function parsed(text: string): Token[] | null {
  if (text.length > MOST) return null;
  try {
    return lexer(text, { gfm: true, breaks: true });
  } catch {
    return null; // nested deeper than the parser's stack
  }
}

function Blocks({ tokens, depth }: { tokens: readonly Token[]; depth: number }): ReactNode {
  if (depth > DEEPEST) return visible(tokens.map((token) => token.raw).join(""));
  return tokens.map((token, index) => <Fragment key={index}>{block(token, depth)}</Fragment>);
}

function block(token: Token, depth: number): ReactNode {
  switch (token.type) {
    case "space":
    case "def":
      return null;
    case "heading": {
      const heading = token as Tokens.Heading;
      // The page's own headings go to three; an answer's are below them.
      return <p role="heading" aria-level={Math.min(heading.depth + 3, 6)} className={classes[`h${Math.min(heading.depth, 4)}`]}><Inline tokens={heading.tokens} depth={depth} /></p>;
    }
    case "paragraph":
      return <p><Inline tokens={(token as Tokens.Paragraph).tokens} depth={depth} /></p>;
    case "text": {
      const inner = (token as Tokens.Text).tokens;
      return inner ? <Inline tokens={inner} depth={depth} /> : visible((token as Tokens.Text).text);
    }
    case "code":
      return <pre dir="ltr" tabIndex={0}><code>{visible((token as Tokens.Code).text)}</code></pre>;
    case "blockquote":
      return <blockquote><Blocks tokens={(token as Tokens.Blockquote).tokens} depth={depth + 1} /></blockquote>;
    case "list": {
      const list = token as Tokens.List;
      const items = list.items.map((item, index) => (
        <li key={index}>
          {item.task && <span aria-label={item.checked ? "done" : "to do"} role="img">{item.checked ? "☑ " : "☐ "}</span>}
          <Blocks tokens={item.tokens.filter((each) => each.type !== "checkbox")} depth={depth + 1} />
        </li>
      ));
      return list.ordered ? <ol start={typeof list.start === "number" ? list.start : 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table": {
      const table = token as Tokens.Table;
      return (
        <div className={classes.table} tabIndex={0} role="group" aria-label="Table">
          <table>
            <thead><tr>{table.header.map((cell, index) => <th key={index} style={{ textAlign: cell.align ?? "start" }}><Inline tokens={cell.tokens} depth={depth} /></th>)}</tr></thead>
            <tbody>{table.rows.map((row, at) => <tr key={at}>{row.map((cell, index) => <td key={index} style={{ textAlign: cell.align ?? "start" }}><Inline tokens={cell.tokens} depth={depth} /></td>)}</tr>)}</tbody>
          </table>
        </div>
      );
    }
    case "hr":
      return <hr />;
    case "html":
      return <p className={classes.plain}>{visible(token.raw.replace(/\n$/, ""))}</p>;
    default:
      return visible(token.raw);
  }
}

function Inline({ tokens, depth }: { tokens: readonly Token[]; depth: number }): ReactNode {
  if (depth > DEEPEST) return visible(tokens.map((token) => token.raw).join(""));
  return tokens.map((token, index) => <Fragment key={index}>{inline(token, depth + 1)}</Fragment>);
}

function inline(token: Token, depth: number): ReactNode {
  switch (token.type) {
    case "text":
    case "escape": {
      const inner = (token as Tokens.Text).tokens;
      return inner?.length ? <Inline tokens={inner} depth={depth} /> : visible((token as Tokens.Text).text);
    }
    case "strong":
      return <strong><Inline tokens={(token as Tokens.Strong).tokens} depth={depth} /></strong>;
    case "em":
      return <em><Inline tokens={(token as Tokens.Em).tokens} depth={depth} /></em>;
    case "del":
      return <del><Inline tokens={(token as Tokens.Del).tokens} depth={depth} /></del>;
    case "codespan":
      return <code dir="ltr">{visible((token as Tokens.Codespan).text)}</code>;
    case "br":
      return <br />;
    case "link": {
      const link = token as Tokens.Link;
      return <Away href={link.href}><Inline tokens={link.tokens} depth={depth} /></Away>;
    }
    case "image": {
      const image = token as Tokens.Image;
      return <Picture href={image.href} alt={visible(image.text)} />;
    }
    default:
      return visible(token.raw); // html, and whatever a later parser knows
  }
}

/** A link that says where it goes, tells nobody where from, and is text where it is none that may be followed. */
function Away({ href, children }: { href: string; children: ReactNode }) {
  const address = followable(href);
  if (!address) return <span title={visible(href)}>{children}</span>;
  return <Anchor href={address} target="_blank" rel="noopener noreferrer nofollow" title={visible(address)} inherit underline="always" className="link">{children}</Anchor>;
}

const OWN_IMAGE = /^data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+$/;

/** An image that an answer carries within it is shown; one that lies elsewhere is a link, which nothing follows by itself. */
function Picture({ href, alt }: { href: string; alt: string }) {
  if (OWN_IMAGE.test(href)) return <img src={href} alt={alt} className={classes.image} />;
  const address = followable(href);
  return (
    <span className={classes.picture}>
      <Icon name="image" size={14} />
      <span>{alt || "Image"}</span>
      {address && <Anchor href={address} target="_blank" rel="noopener noreferrer nofollow" className="link" inherit underline="always">Open {visible(new URL(address).host)}</Anchor>}
    </span>
  );
}
