/** What finds faults of accessibility in a page: the text of its script, which runs there. */
import axe from "npm:axe-core@4.14.1";

export const axeScript: string = axe.source;
