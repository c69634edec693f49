/**
 * Column types of the tables that a run leaves, fixed before the first row.
 *
 * @module
 */
import * as arrow from "apache-arrow";

/**
 * Type of a column. `int64` holds safe integers (JavaScript numbers), `dictionary` holds strings
 * that repeat (stored once each), `float64[]` holds lists of numbers.
 */
export type ColumnType =
  | "float64"
  | "int32"
  | "int64"
  | "utf8"
  | "bool"
  | "dictionary"
  | "float64[]";

/** A column type; a trailing `?` allows nulls. */
export type ColumnSpec = ColumnType | `${ColumnType}?`;

/** Column name to type; the order of the keys is the order of the columns. */
export type TableSchema = Readonly<Record<string, ColumnSpec>>;

/** What a cell of the column holds in a row object. */
export type CellOf<C extends ColumnSpec> = C extends `${infer T extends ColumnType}?`
  ? CellOf<T> | null
  : C extends "float64" | "int32" | "int64" ? number
  : C extends "utf8" | "dictionary" ? string
  : C extends "bool" ? boolean
  : ArrayLike<number>;

/** A row of a table with this schema: every column, by name. */
export type RowOf<S extends TableSchema> = { readonly [K in keyof S]: CellOf<S[K]> };

/** The base type of a column and whether it may hold nulls. */
export interface ParsedColumn {
  /** Type without the question mark. */
  readonly type: ColumnType;
  /** Whether nulls are allowed. */
  readonly isNullable: boolean;
}

/** Splits `"float64?"` into its type and its nullability. */
export function parseColumn(spec: ColumnSpec): ParsedColumn {
  const isNullable = spec.endsWith("?");
  return { type: (isNullable ? spec.slice(0, -1) : spec) as ColumnType, isNullable };
}

/**
 * The Arrow schema of a table schema. Dictionary columns get their position as dictionary number,
 * so that equal content gives equal bytes.
 */
export function arrowSchemaOf(schema: TableSchema): arrow.Schema {
  const fields = Object.entries(schema).map(([name, spec], position) => {
    const { type, isNullable } = parseColumn(spec);
    return new arrow.Field(name, arrowTypeOf(type, position), isNullable);
  });
  return new arrow.Schema(fields);
}

/**
 * The table schema of an Arrow table.
 *
 * @throws {TypeError} When a column has a type that {@linkcode ColumnType} does not know.
 */
export function schemaOf(table: arrow.Table): TableSchema {
  return Object.fromEntries(
    table.schema.fields.map((field) => {
      const type = columnTypeOf(field);
      return [field.name, field.nullable ? `${type}?` as const : type];
    }),
  );
}

function arrowTypeOf(type: ColumnType, position: number): arrow.DataType {
  switch (type) {
    case "float64":
      return new arrow.Float64();
    case "int32":
      return new arrow.Int32();
    case "int64":
      return new arrow.Int64();
    case "utf8":
      return new arrow.Utf8();
    case "bool":
      return new arrow.Bool();
    case "dictionary":
      return new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32(), position);
    case "float64[]":
      return new arrow.List(new arrow.Field("item", new arrow.Float64(), false));
  }
}

function columnTypeOf(field: arrow.Field): ColumnType {
  const type = field.type;
  if (arrow.DataType.isFloat(type) && type.precision === arrow.Precision.DOUBLE) return "float64";
  if (arrow.DataType.isInt(type) && type.isSigned && type.bitWidth === 32) return "int32";
  if (arrow.DataType.isInt(type) && type.isSigned && type.bitWidth === 64) return "int64";
  if (arrow.DataType.isUtf8(type)) return "utf8";
  if (arrow.DataType.isBool(type)) return "bool";
  if (arrow.DataType.isDictionary(type) && arrow.DataType.isUtf8(type.dictionary)) {
    return "dictionary";
  }
  if (arrow.DataType.isList(type) && arrow.DataType.isFloat(type.valueType)) return "float64[]";
  throw new TypeError(
    `Cannot read table: column ${field.name} must be of type float64, int32, int64, utf8, bool, dictionary of utf8 or list of float64, current type is ${type}`,
  );
}
