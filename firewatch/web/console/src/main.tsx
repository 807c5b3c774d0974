import { render } from "preact";

import { App } from "./app";
import "./styles.css";
import "./pages.css";

render(<App />, document.getElementById("app")!);
