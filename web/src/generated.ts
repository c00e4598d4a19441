/** Made by tools/make_types.py from what the Python library knows about looks: change it there and run `make types`. */

export interface Option {
  readonly name: string;
  readonly initial: string | number | null;
  readonly must: string;
  readonly words: readonly string[];
  readonly meanings: Readonly<Record<string, number>>;
  readonly number: "" | "real" | "whole";
  readonly lowest: number;
  readonly highest: number;
  readonly above: boolean;
  readonly text: boolean;
  readonly usual: string;
  readonly range: string;
  readonly listing: string | null;
}

export interface Worn {
  /** A preset, a picture, a mix such as candy:0.6+wave:0.4, original, blur, grey, or a colour as #rrggbb. */
  style: string;
  /** 0 to 1: how much of the style is seen. */
  strength: number;
  /** 0 to 1: how much of the photo's colour is kept. */
  keep_color: number;
  /** Standard deviation of the softened border in percent of the picture's short side, 0 to 20. */
  feather: number;
}

export interface Look {
  /** Softness of the masks; infinity means binary. */
  tau: number;
  /** Composite one picture per style, or paint all styles in one pass. */
  blend: "pixels" | "features";
  /** Size of the strokes: a name, or the short side in pixels at which styles are painted. */
  stroke: "small" | "medium" | "large" | number;
  /** Which faces take part: all, the largest, or how many of the largest. */
  faces: "all" | "largest" | number;
  /** Another seed gives other strokes. */
  seed: number;
  /** Segment or group -> what it wears. */
  segments: Record<string, Worn>;
}

export type Faces = Look["faces"];

/** JSON cannot say infinity. */
export type WireLook = Omit<Look, "tau"> & { tau: number | "inf" };

export const LOOK_OPTIONS: Readonly<Record<Exclude<keyof Look, "segments">, Option>> = {
  tau: {
    name: "tau",
    initial: 3,
    must: "tau must be a number greater than 0",
    words: [],
    meanings: { "inf": Number.POSITIVE_INFINITY, "binary": Number.POSITIVE_INFINITY },
    number: "real",
    lowest: 0,
    highest: Number.POSITIVE_INFINITY,
    above: true,
    text: false,
    usual: "3 is usual, inf is binary",
    range: "",
    listing: null,
  },
  blend: {
    name: "blend",
    initial: "pixels",
    must: "blend must be a name",
    words: ["pixels", "features"],
    meanings: {},
    number: "",
    lowest: -4294967295,
    highest: 4294967295,
    above: false,
    text: false,
    usual: "",
    range: "",
    listing: "",
  },
  stroke: {
    name: "stroke",
    initial: "medium",
    must: "stroke must be a name or a number of pixels",
    words: ["small", "medium", "large"],
    meanings: {},
    number: "whole",
    lowest: 64,
    highest: 4096,
    above: false,
    text: false,
    usual: "",
    range: "stroke must be 64 to 4096 pixels",
    listing: "give small, medium, large or a number of pixels.",
  },
  faces: {
    name: "faces",
    initial: "all",
    must: "faces must be 'all', 'largest' or a number from 1",
    words: ["all", "largest"],
    meanings: {},
    number: "whole",
    lowest: 1,
    highest: 4294967295,
    above: false,
    text: false,
    usual: "",
    range: "",
    listing: null,
  },
  seed: {
    name: "seed",
    initial: 0,
    must: "seed must be a whole number from -4294967295 to 4294967295",
    words: [],
    meanings: {},
    number: "whole",
    lowest: -4294967295,
    highest: 4294967295,
    above: false,
    text: false,
    usual: "",
    range: "",
    listing: null,
  },
};

export const SEGMENT_OPTIONS: Readonly<Record<keyof Worn, Option>> = {
  style: {
    name: "style",
    initial: null,
    must: "A style must be a name or a colour in quotes",
    words: [],
    meanings: {},
    number: "",
    lowest: -4294967295,
    highest: 4294967295,
    above: false,
    text: true,
    usual: "",
    range: "",
    listing: null,
  },
  strength: {
    name: "strength",
    initial: 1,
    must: "strength must be a number from 0 to 1",
    words: [],
    meanings: {},
    number: "real",
    lowest: 0,
    highest: 1,
    above: false,
    text: false,
    usual: "",
    range: "",
    listing: null,
  },
  keep_color: {
    name: "keep_color",
    initial: 0,
    must: "keep_color must be a number from 0 to 1",
    words: [],
    meanings: {},
    number: "real",
    lowest: 0,
    highest: 1,
    above: false,
    text: false,
    usual: "",
    range: "",
    listing: null,
  },
  feather: {
    name: "feather",
    initial: 0,
    must: "feather must be a number from 0 to 20",
    words: [],
    meanings: {},
    number: "real",
    lowest: 0,
    highest: 20,
    above: false,
    text: false,
    usual: "",
    range: "",
    listing: null,
  },
};

export const SEGMENT_ALIASES: Readonly<Record<string, string>> = { "cloth": "clothes", "eyebrows": "brows", "all": "everything", "people": "person", "bg": "background" };

export const LARGEST_WHOLE = 4294967295;
export const PLAIN_STYLES: readonly string[] = ["original", "blur", "grey"];
export const STYLE_SYNONYMS: Readonly<Record<string, string>> = { "gray": "grey", "none": "original" };
export const STYLE_SUFFIXES: readonly string[] = [".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".safetensors"];
export const STYLE_PREFIX = "style:";
export const MOST_PARTS = 8;
export const WEIGHT_UNITS = 1000000;
export const PRESETS: readonly string[] = ["candy", "composition-vii", "escher-sphere", "feathers", "frida-kahlo", "la-muse", "mosaic", "mosaic-ducks-massimo", "pencil", "picasso-selfport1907", "rain-princess", "robert-delaunay-1906-portrait", "seated-nude", "shipwreck", "starry-night", "stars2", "strip", "the-scream", "udnie", "wave", "woman-with-hat-matisse"];
