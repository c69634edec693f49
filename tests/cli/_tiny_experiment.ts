import { tinySweep } from "../sweep/_tiny_sweep.ts";

export default tinySweep;
