/** What is in a file, up to a size, as a picture, a table, JSON or text. Load it lazily. */

import { type ReactNode, useEffect, useMemo, useState } from "react";
import { bytes as sized } from "../../../lib/numbers";
import { line, plural, visible } from "../../../lib/text";
import { JsonView } from "../../../ui/JsonView";
import { Empty, Failing, Loading } from "../../../ui/States";
import { VirtualTable } from "../../../ui/VirtualTable";
import { Foreign } from "../../../ui/values";
import { type Content, useContent } from "./api";
import { MOST, type Sheet, type Sight, imageType, readCsv, readSplit, sightOf, textOf } from "./artifact";
import classes from "./artifacts.module.css";

export default function Sighted({ run, path }: { run: string; path: string }) {
  const sight = sightOf(path);
  if (sight === "other") return <Empty small title="Not a file that is shown here" icon="empty">Download it to look into it.</Empty>;
  return <Read run={run} path={path} sight={sight} />;
}

function Read({ run, path, sight }: { run: string; path: string; sight: Sight }) {
  const content = useContent(run, path, MOST[sight]);
  if (content.isPending) return <Loading lines={6} label="Loading the file" />;
  if (content.isError) return <Failing small error={content.error} retry={() => void content.refetch()} />;
  return SIGHTS[sight]({ content: content.data, path });
}

type Seeing = (props: { content: Content; path: string }) => ReactNode;

const SIGHTS: Readonly<Record<Sight, Seeing>> = {
  image: ({ content, path }) => (content.cut ? <TooLarge most={MOST.image} /> : <Picture content={content} path={path} />),
  svg: ({ content, path }) => (content.cut ? <TooLarge most={MOST.svg} /> : <Drawing content={content} path={path} />),
  table: ({ content, path }) => <Separated content={content} path={path} />,
  json: ({ content }) => <Structured content={content} />,
  text: ({ content }) => <Words content={content} />,
  other: () => null,
};

function TooLarge({ most }: { most: number }) {
  return <Empty small title="Too large to show" icon="image">It has more than {sized(most)}. Download it to look at it.</Empty>;
}

/** By its bytes and not by its name: what is no image is not shown as one. */
function Picture({ content, path }: { content: Content; path: string }) {
  const type = imageType(content.bytes);
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    if (type === null) return;
    const made = URL.createObjectURL(new Blob([content.bytes as BlobPart], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [content.bytes, type]);
  if (type === null) return <Empty small title="This is no image" icon="image">Its name says that it is one, and its bytes do not.</Empty>;
  return url && <img src={url} alt={line(path, 200)} className={classes.image} />;
}

/** A drawing that is shown as an image runs no script, loads nothing, and is of no origin. */
function Drawing({ content, path }: { content: Content; path: string }) {
  const url = useMemo(() => {
    let text = "";
    for (let at = 0; at < content.bytes.length; at += 8192) text += String.fromCharCode(...content.bytes.subarray(at, at + 8192));
    return `data:image/svg+xml;base64,${btoa(text)}`;
  }, [content.bytes]);
  return <img src={url} alt={line(path, 200)} className={classes.image} />;
}

function Separated({ content, path }: { content: Content; path: string }) {
  const sheet = useMemo(() => {
    const text = textOf(content.bytes);
    return text === null ? null : readCsv(text, path.toLowerCase().endsWith(".tsv") ? "\t" : ",");
  }, [content.bytes, path]);
  if (!sheet?.columns.length) return <Words content={content} />;
  return <Sheeted sheet={content.cut ? { ...sheet, cut: true } : sheet} />;
}

function Structured({ content }: { content: Content }) {
  const value = useMemo((): unknown => {
    try {
      return content.cut ? undefined : JSON.parse(new TextDecoder().decode(content.bytes));
    } catch {
      return undefined;
    }
  }, [content]);
  const sheet = useMemo(() => readSplit(value), [value]);
  if (value === undefined) return <Words content={{ bytes: content.bytes.subarray(0, MOST.text), cut: content.cut || content.bytes.length > MOST.text }} />;
  return sheet ? <Sheeted sheet={sheet} /> : <JsonView value={value} open={3} bare />;
}

function Sheeted({ sheet }: { sheet: Sheet }) {
  const columns = useMemo(() => sheet.columns.map((name, index) => ({ id: String(index), header: <Foreign text={name} most={60} />, label: line(name, 60) || `Column ${index + 1}`, width: "minmax(120px, 1fr)", cell: (row: Numbered) => <span title={visible((row.cells[index] ?? "").slice(0, 2000))}><Foreign text={row.cells[index]} most={160} /></span> })), [sheet.columns]);
  const rows = useMemo(() => sheet.rows.map((cells, number): Numbered => ({ cells, number })), [sheet.rows]);
  return (
    <>
      <VirtualTable label="Table" columns={columns} rows={rows} idOf={(row) => String(row.number)} height={Math.min(460, 50 + rows.length * 34)} empty={<Empty small title="It has no rows" icon="empty" />} />
      <p className={`dim ${classes.note}`}>{plural(rows.length, "row")}, {plural(sheet.columns.length, "column")}{sheet.cut ? "; there is more in the file" : ""}</p>
    </>
  );
}

interface Numbered {
  cells: readonly string[];
  number: number;
}

function Words({ content }: { content: Content }) {
  const text = useMemo(() => textOf(content.bytes), [content.bytes]);
  if (text === null) return <Empty small title="This is no text" icon="empty">Download it to look into it.</Empty>;
  if (text === "") return <Empty small title="It is empty" icon="empty" />;
  return (
    <>
      <pre className={`foreign ${classes.words}`} tabIndex={0} aria-label="Text of the file" role="region">{visible(text)}</pre>
      {content.cut && <p className={`dim ${classes.note}`}>The first {sized(content.bytes.length)} of it.</p>}
    </>
  );
}
