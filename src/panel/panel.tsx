import {
  CommandToolbarButton,
  PanelWithToolbar,
  SidePanel
} from '@jupyterlab/ui-components';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { AccordionPanel, Widget } from '@lumino/widgets';

import type { ICluster } from '../api/types';
import { CommandIDs } from '../commandIds';
import type { IPanel } from '../commandParts';
import type { FormMemory } from '../formMemory';
import { clusterIcon } from '../icons';
import type { Settings } from '../settings';
import type { IClusterModel, ITiles } from '../tokens';
import { ClustersSection } from './clustersSection';
import { DashboardsSection } from './dashboardsSection';
import { LaunchSection } from './launchSection';

/** How much of the panel's height the launch form may take by itself. */
const LAUNCH_SHARE = 0.6;

/** The left sidebar's panel: Launch, Clusters, Dashboards. */
export class ClusterPanel extends SidePanel implements IPanel {
  constructor(private readonly _options: ClusterPanel.IOptions) {
    super({ translator: _options.translator });
    const { trans } = _options;
    this.id = 'hpcdask';
    this.addClass('jp-HPCDask-panel');
    this.title.icon = clusterIcon;
    this.title.caption = trans.__('Dask Clusters');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Dask Clusters'));
    this._launch = new LaunchSection(_options);
    this._clusters = new ClustersSection(_options);
    this._dashboards = new DashboardsSection(_options);
    this.addWidget(this._launch);
    this.addWidget(this._withToolbar(this._clusters));
    this.addWidget(this._dashboards);
    const accordion = this.content as AccordionPanel;
    accordion.handleMoved.connect(() => (this._isSizedByHand = true), this);
    accordion.expansionToggled.connect(this._fit, this);
    this._launch.resized.connect(this._fit, this);
  }

  showLaunch(): void {
    this._reveal(0, () => this._launch.focusLaunch());
  }

  showClusters(): void {
    this._reveal(1, () => this._clusters.focusSelected());
  }

  showScaling(cluster: ICluster, group: string): void {
    // The editor takes the focus by itself.
    this._reveal(1, () => this._clusters.editScaling(cluster, group));
  }

  showDashboards(): void {
    this._reveal(2, () => this._dashboards.focusSearch());
  }

  protected override onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    const focus = this._focus ?? (() => this._launch.focusLaunch());
    this._focus = null;
    focus();
  }

  protected override onResize(msg: Widget.ResizeMessage): void {
    super.onResize(msg);
    this._fit();
  }

  protected override onAfterShow(msg: Message): void {
    super.onAfterShow(msg);
    this._fit();
  }

  /**
   * Give the launch form the height that it wants, as long as it is not more
   * than its share, and until the user has moved a border.
   */
  private _fit(): void {
    const accordion = this.content as AccordionPanel;
    const isFolded = accordion.widgets.some(section => section.isHidden);
    const titles = accordion.titles.reduce(
      (sum, title) => sum + title.offsetHeight,
      0
    );
    const borders = accordion.spacing * (accordion.widgets.length - 1);
    const height = accordion.node.clientHeight - titles - borders;
    if (this._isSizedByHand || isFolded || height <= 0) {
      return;
    }
    const launch = Math.min(this._launch.naturalHeight, LAUNCH_SHARE * height);
    const others = (height - launch) / 2;
    accordion.setRelativeSizes([launch, others, others]);
  }

  /**
   * Open a section that may be folded, in a panel that may be hidden. Then it
   * has the focus: the panel is told later that it was brought to the front.
   */
  private _reveal(index: number, focus: () => void): void {
    this._focus = focus;
    this._options.reveal(this);
    (this.content as AccordionPanel).expand(index);
  }

  private _withToolbar(section: Widget): Widget {
    const panel = new PanelWithToolbar();
    const follow = () => {
      panel.title.label = section.title.label;
    };
    section.title.changed.connect(follow, panel);
    follow();
    panel.addClass('jp-HPCDask-section');
    panel.addWidget(section);
    for (const id of [CommandIDs.adopt, CommandIDs.refresh]) {
      const { commands } = this._options;
      panel.toolbar.addItem(
        id,
        new CommandToolbarButton({ commands, id, label: '' })
      );
    }
    return panel;
  }

  private readonly _clusters: ClustersSection;
  private readonly _dashboards: DashboardsSection;
  private readonly _launch: LaunchSection;
  private _focus: (() => void) | null = null;
  private _isSizedByHand = false;
}

export namespace ClusterPanel {
  export interface IOptions {
    model: IClusterModel;
    commands: CommandRegistry;
    settings: Settings;
    memory: FormMemory;
    tiles: ITiles;
    trans: TranslationBundle;
    translator: ITranslator;
    /** Show a preview, and tell whether the launch is wanted. */
    showPreview: LaunchSection.IOptions['showPreview'];
    /** Bring the panel to the front of the sidebar. */
    reveal: (panel: Widget) => void;
  }
}
