/* In place of the theme's 200 kB for charts, which it loads on every page: no page has a chart. */
